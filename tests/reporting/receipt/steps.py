"""What several tests of the receipt pages do: choose a consent, open the report's page, move its state."""

from flask.testing import FlaskClient

from reporting.record import queries
from reporting.record.models import REPORT_MOVES, ReportState
from tests.make.reporter import behind
from ugly_mugs.database.engine import db

WARN = {"warn_others__warn_others": "yes", "warn_others__when": "asap"}
AFTER_SEEN = {"warn_others__warn_others": "yes", "warn_others__when": "after_seen"}


def open_report(client: FlaskClient) -> str:
    """The reporter's page of the report, for a client with a session."""
    answer = client.get("/receipt/report")
    assert answer.status_code == 200
    return answer.text


def move_report(words: str, *states: ReportState) -> None:
    """Move the report through these states, as the desk does."""
    report = queries.locked_report(behind(words).report.id)
    assert report is not None
    for state in states:
        REPORT_MOVES.move(report, state)
    db.session.commit()
