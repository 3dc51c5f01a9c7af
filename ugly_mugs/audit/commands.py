"""`flask audit …`."""

from pathlib import Path

import click
from flask.cli import AppGroup

from ugly_mugs.audit import log
from ugly_mugs.runtime import runtime

audit = AppGroup("audit", help="The record of who did what.")


@audit.command("verify")
@click.option("--head", type=click.Path(path_type=Path), help="a file of heads that was kept elsewhere")
def verify(head: Path | None) -> None:
    """See that no entry was changed, and none cut off since the last head that was kept."""
    file = head or runtime().settings.audit_head_file
    try:
        # A file named on the command line must exist; the configured one may not have been written yet.
        heads = log.read_heads(file) if file and (head or file.exists()) else []
    except log.HeadFileProblem as problem:
        raise click.ClickException(str(problem)) from None
    verdict = log.verify(runtime().vault, heads)
    if verdict.problems:
        raise click.ClickException(" ".join(verdict.problems))
    kept = f"the head of entry {heads[-1].number} agrees" if heads else "no head was compared"
    waiting = f"; {verdict.waiting} newer wait for the worker" if verdict.waiting else ""
    click.echo(f"Nothing was changed in {verdict.chained} entries, and {kept}{waiting}.")
