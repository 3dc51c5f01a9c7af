"""Where an error was raised, as it may stand in a log."""

import traceback


def raised_at(error: BaseException) -> str:
    """File name and line of the innermost frame, such as `sender.py:120`; empty if it was never raised.

    Neither the message nor the source line, because both may quote what somebody wrote.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return ""
    frame, line = frames[-1]
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}"
