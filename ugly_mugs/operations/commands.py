"""`flask doctor` and `flask demo`."""

import click
from flask.cli import with_appcontext
from flask_migrate import upgrade

from ugly_mugs.database.engine import db
from ugly_mugs.operations import demo as demo_data
from ugly_mugs.operations.doctor import examine
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import KeyFileProblem


@click.command()
@click.option("--web", is_flag=True, help="asked as the web's user, who has nothing to do with the providers")
@with_appcontext
def doctor(web: bool) -> None:
    """See whether keys, database, worker, SMS provider and mail are well, and what to do if not."""
    findings = examine(runtime().settings, as_web=web)
    for finding in findings:
        click.echo(
            f"well     {finding.name}" if finding.well else f"NOT WELL {finding.name}: {finding.problem}"
        )
    if runtime().settings.can_text:
        # Printed only with the provider's credentials set: the URL's token is the secret that lets texts in.
        click.echo(f"The number's messaging webhook at the SMS provider has to be: {_webhook()}")
    unwell = [finding for finding in findings if not finding.well]
    if unwell:
        raise click.ClickException(f"{len(unwell)} of {len(findings)} need attention.")
    click.echo("All is well.")


def _webhook() -> str:
    try:
        token = runtime().vault.path_token("webhook")
    except KeyFileProblem:
        return "not known before there are keys"
    return f"{runtime().settings.public_url}/webhooks/twilio/{token}/message"


@click.command()
@click.option("--once", is_flag=True, help="leave a demo that is there already as it is")
@with_appcontext
def demo(once: bool) -> None:
    """Invent the data of a try-out anew: people, members, reports, an alert."""
    upgrade()
    try:
        if once and demo_data.is_there():
            click.echo("The invented data of last time is still here.")
            return
        demo_data.reset()
    except (demo_data.NotADemo, KeyFileProblem) as refusal:
        raise click.ClickException(str(refusal)) from None
    finally:
        db.session.rollback()
    click.echo(f"Invented people, members and reports. Their passphrases are in {demo_data.demo_file()}")
