"""Runs the sandbox as a process: `python -m ugly_mugs.sandbox --port 8001 --smtp-port 8002`."""

import signal
import sys


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Imported after the line above, so that an interrupt during start-up ends the process without a traceback.
    from ugly_mugs.sandbox.process import run  # noqa: PLC0415

    return run()


if __name__ == "__main__":
    sys.exit(main())
