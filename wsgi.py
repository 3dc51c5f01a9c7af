"""The application, for gunicorn (`wsgi:app`) and for the `flask` command."""

import click

from ugly_mugs.app import create_app
from ugly_mugs.operations.start_checks import UnfitStart
from ugly_mugs.settings import SettingsError

# Under `flask keys`, `flask worker` and so on nothing is served, so what only the web must refuse is not asked.
_command = click.get_current_context(silent=True)

try:
    app = create_app(serving=_command is None or _command.info_name == "run")
except (SettingsError, UnfitStart) as problem:
    # For whoever started this: what is wrong and what to do, without a traceback around it.
    raise SystemExit(str(problem)) from None
