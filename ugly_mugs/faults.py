"""The place where an error was raised, in a form that may be logged."""

import traceback


def raised_at(error: BaseException) -> str:
    """File name and line of the innermost frame, such as `sender.py:120`; empty if it was never raised.

    The message and the source line are left out, because both may quote what somebody wrote.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return ""
    frame, line = frames[-1]
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}"
