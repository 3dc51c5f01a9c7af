"""Whoever has left the desk cannot open what is filed afterwards, although the desk's key is cached."""

from reporting.filing import batch_commit, desk_key
from reporting.filing.batch_commit import BatchCommit, PendingSubmission
from reporting.record.models import Report
from tests.make.cast import Colleague, Team
from tests.make.reports import make_submission
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime


def test_a_report_sealed_before_somebody_left_is_sealed_again_to_the_new_key(
    team: Team, alice: Colleague, dave: Colleague
) -> None:
    vault = runtime().vault
    submission = make_submission(happened={"account": "He came back at ten."})
    pending = PendingSubmission(submission, desk_key.cached(vault), vault)
    team.remove(dave)

    filed = BatchCommit().file(pending, vault)

    epoch, _public = epochs.current(EpochKind.DESK, vault=vault)
    assert db.session.get_one(Report, filed.report_id).epoch_id == epoch.id != pending.key.epoch_id
    db.session.rollback()
    assert "He came back at ten." in alice.browser.get(f"/desk/reports/{filed.report_id}").text


def test_the_cache_holds_the_new_key_after_the_first_report(team: Team, dave: Colleague) -> None:
    vault = runtime().vault
    former = desk_key.cached(vault)
    team.remove(dave)

    batch_commit.file(make_submission(happened={"account": "He came back at ten."}), vault=vault)

    epoch, public = epochs.current(EpochKind.DESK, vault=vault)
    assert desk_key.cached(vault) == (epoch.id, public) != former
