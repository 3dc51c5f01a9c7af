"""`flask keys …` and `flask staff …`, on an empty and on a running installation."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from tests.accounts.people.test_joining import Shown, type_code
from tests.make.audit import entries
from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count, execute
from tests.make.installation import application
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import (
    EpochKind,
    Holder,
    KeyEpoch,
    KeySeal,
    RecoveryKey,
    Staff,
    StaffState,
)
from ugly_mugs.accounts.people import enrolment
from ugly_mugs.audit.models import AuditKind
from ugly_mugs.database.engine import db
from ugly_mugs.database.models import Installation as InstallationRow
from ugly_mugs.errors import NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings
from ugly_mugs.vault import PrivateKey, totp
from ugly_mugs.vault.keys import keyfiles

TEN = r"^((?:[a-z]+ ){9}[a-z]+)$"
CODE = r"([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})"


def run(app: Flask, *arguments: str, typed: str = "") -> Result:
    result: Result = app.test_cli_runner().invoke(args=list(arguments), input=typed)
    db.session.rollback()
    return result


def printed(pattern: str, result: Result) -> str:
    match = re.search(pattern, result.output, re.MULTILINE)
    assert match is not None, result.output
    return match[1]


@pytest.fixture
def empty(settings: Settings, clock: MovableClock) -> Iterator[Flask]:
    """The application on an empty database, before there are any keys."""
    with application(settings, clock) as app:
        yield app


class TestTheFirstStart:
    def test_from_nothing_to_the_first_moderator_at_the_desk(self, empty: Flask, clock: MovableClock) -> None:
        browser = empty.test_client()

        paper = printed(TEN, run(empty, "keys", "init"))
        code = printed(CODE, run(empty, "staff", "invite", "alice", "--role", "moderator"))
        type_code(browser, code)
        shown = Shown(browser)
        shown.prove(browser, clock.now())
        admitted = run(empty, "staff", "admit", "alice", typed=f"{paper}\n")
        clock.forward(seconds=totp.STEP_SECONDS)
        signed_in = shown.sign_in(browser, "alice", clock.now())

        assert admitted.exit_code == 0
        assert printed(TEN, admitted) != paper
        assert signed_in.location == "/desk"
        assert browser.get("/desk/people").status_code == 200

    def test_makes_an_epoch_of_each_kind_that_only_the_paper_opens(self, empty: Flask) -> None:
        run(empty, "keys", "init")

        for kind in EpochKind:
            epoch, _ = epochs.current(kind, vault=runtime().vault)
            assert epoch.number == 1
        holders = db.session.scalars(sa.select(KeySeal.holder)).all()
        assert set(holders) == {Holder.RECOVERY}

    def test_marks_what_kind_of_installation_it_is(self, empty: Flask) -> None:
        run(empty, "keys", "init", "--demo")

        assert db.session.scalars(sa.select(InstallationRow)).one().demo is True

    def test_never_overwrites_keys(self, empty: Flask, settings: Settings) -> None:
        run(empty, "keys", "init")
        before = {path: path.read_bytes() for path in settings.keys_dir.iterdir()}

        again = run(empty, "keys", "init")

        assert again.exit_code == 1
        assert "Nothing was changed" in again.output
        assert {path: path.read_bytes() for path in settings.keys_dir.iterdir()} == before

    def test_refuses_a_key_folder_that_belongs_to_another_database(self, empty: Flask) -> None:
        run(empty, "keys", "init")
        db.session.execute(sa.delete(KeySeal))
        db.session.execute(sa.delete(KeyEpoch))
        execute(sa.delete(RecoveryKey))

        result = run(empty, "keys", "init")

        assert result.exit_code == 1
        assert "another database" in result.output

    def test_goes_on_where_it_was_cut_short_before_the_database(
        self, empty: Flask, settings: Settings
    ) -> None:
        keyfiles.create(settings.keys_dir)
        before = keyfiles.load_service(settings.keys_dir).ring

        result = run(empty, "keys", "init")

        assert result.exit_code == 0
        assert keyfiles.load_service(settings.keys_dir).ring == before

    def test_says_so_when_the_folder_cannot_be_written(self, empty: Flask, settings: Settings) -> None:
        settings.keys_dir.parent.mkdir(exist_ok=True)
        settings.keys_dir.write_text("a file where the folder should be")

        result = run(empty, "keys", "init")

        assert result.exit_code == 1
        assert result.output.startswith("Error:")
        assert count(KeyEpoch) == 0

    def test_is_asked_for_by_a_command_that_needs_keys(self, empty: Flask) -> None:
        result = run(empty, "staff", "invite", "alice", "--role", "moderator")

        assert result.exit_code == 1
        assert "flask keys init" in result.output

    def test_asks_for_the_tables_first(self, empty: Flask) -> None:
        execute(sa.text("DROP TABLE recovery_keys"))

        result = run(empty, "keys", "init")

        assert result.exit_code == 1
        assert "flask db upgrade" in result.output
        assert not runtime().settings.keys_dir.exists()


class TestStaff:
    def test_invite_prints_a_code_and_no_address_with_a_secret(self, app: Flask) -> None:
        result = run(app, "staff", "invite", "carol", "--role", "moderator", "--role", "approver")

        code = printed(CODE, result)
        address = printed(r"(http\S+)", result)
        assert code not in address
        assert len(result.output.strip().splitlines()) == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            ("bob",),
            ("bob", "--role", "emperor"),
            ("bob", "--role", "organisation_worker"),
            ("<>", "--role", "auditor"),
        ],
    )
    def test_invite_refuses_what_makes_no_sense(self, app: Flask, arguments: tuple[str, ...]) -> None:
        assert run(app, "staff", "invite", *arguments).exit_code != 0
        assert count(Staff) == 0

    def test_invite_refuses_a_name_that_is_taken(self, app: Flask, alice: Colleague) -> None:
        result = run(app, "staff", "invite", "Alice", "--role", "auditor")

        assert result.exit_code == 1
        assert "already" in result.output

    def test_invite_refuses_tasks_that_are_not_for_one_person(self, app: Flask) -> None:
        result = run(app, "staff", "invite", "bob", "--role", "moderator", "--role", "administrator")

        assert result.exit_code == 1
        assert "Please invite two people" in result.output

    def test_list_says_who_is_here_and_what_they_do(self, app: Flask, alice: Colleague) -> None:
        run(app, "staff", "invite", "erin", "--role", "auditor")

        lines = run(app, "staff", "list").output.splitlines()

        assert lines == ["alice: active (moderator)", "erin: invited (auditor)"]

    def test_admit_shows_the_fingerprint_to_compare(self, app: Flask, team: Team) -> None:
        newcomer = team.enrol("dave")

        result = run(app, "staff", "admit", "dave", typed=f"{team.installation.recovery_words}\n")

        assert result.exit_code == 0
        assert team.words(newcomer) in result.output
        assert team.state(newcomer) is StaffState.ACTIVE

    def test_admit_points_out_a_mistyped_word(self, app: Flask, team: Team) -> None:
        newcomer = team.enrol("dave")
        typed = team.installation.recovery_words.split()
        typed[3] = "xyzzyx"

        result = run(app, "staff", "admit", "dave", typed=" ".join(typed) + "\n")

        assert result.exit_code == 1
        assert "Word 4" in result.output
        assert team.state(newcomer) is StaffState.WAITING

    def test_admit_refuses_ten_other_words(self, app: Flask, team: Team) -> None:
        newcomer = team.enrol("dave")

        result = run(app, "staff", "admit", "dave", typed="apple " * 9 + "abacus\n")

        assert result.exit_code == 1
        assert team.state(newcomer) is StaffState.WAITING

    def test_admit_refuses_a_key_that_was_swapped(self, app: Flask, team: Team) -> None:
        newcomer = team.enrol("dave")
        execute(sa.update(Staff).values(public_key=PrivateKey.generate().public().raw))

        result = run(app, "staff", "admit", "dave", typed=f"{team.installation.recovery_words}\n")

        assert result.exit_code == 1
        assert "not written by this service" in result.output
        assert team.state(newcomer) is StaffState.WAITING

    def test_remove_needs_no_secret_and_renews_the_keys(
        self, app: Flask, team: Team, alice: Colleague, settings: Settings
    ) -> None:
        dave = team.hire("dave")

        result = run(app, "staff", "remove", "dave")

        marks = keyfiles.load_service(settings.keys_dir).epochs["desk"]
        epoch, public = epochs.current(EpochKind.DESK, vault=runtime().vault)
        assert result.exit_code == 0
        assert len(result.output.strip().splitlines()) == 1
        assert (marks[-1].number, marks[-1].fingerprint) == (2, public.fingerprint())
        assert epochs.private_for(alice.id, alice.key, epoch.id).public() == public
        with pytest.raises(NotAllowed):
            epochs.private_for(dave.id, dave.key, epoch.id)

    @pytest.mark.parametrize("command", [("staff", "remove"), ("staff", "admit"), ("keys", "recover")])
    def test_nobody_is_called_that(self, app: Flask, command: tuple[str, str]) -> None:
        result = run(app, *command, "charlie")

        assert result.exit_code == 1
        assert "Nobody here is called charlie." in result.output


class TestKeys:
    def test_rotate_desk_begins_a_new_epoch_for_those_at_work(self, app: Flask, team: Team) -> None:
        alice = team.hire("alice")

        result = run(app, "keys", "rotate-desk")

        epoch, public = epochs.current(EpochKind.DESK, vault=runtime().vault)
        assert result.exit_code == 0
        assert epoch.number == 2
        assert epochs.private_for(alice.id, alice.key, epoch.id).public() == public

    def test_a_mark_that_cannot_be_written_leaves_the_former_epoch_in_use_and_says_so(
        self, app: Flask, settings: Settings
    ) -> None:
        file = settings.keys_dir / keyfiles.SERVICE_FILE
        assert runtime().vault.epochs
        file.rename(file.with_suffix(".away"))

        result = run(app, "keys", "rotate-desk")
        file.with_suffix(".away").rename(file)

        assert result.exit_code == 1
        assert "rotate-desk" in result.output
        assert epochs.current(EpochKind.DESK, vault=runtime().vault)[0].number == 1
        db.session.rollback()
        assert run(app, "keys", "rotate-desk").exit_code == 0
        assert epochs.current(EpochKind.DESK, vault=runtime().vault)[0].number == 3

    def test_recover_lets_a_forgetful_moderator_back_with_a_new_key_and_the_words_on_paper(
        self, app: Flask, team: Team, clock: MovableClock
    ) -> None:
        alice = team.hire("alice")
        old, browser = team.words(alice), app.test_client()

        code = printed(CODE, run(app, "keys", "recover", "alice"))
        type_code(browser, code)
        shown = Shown(browser)
        shown.prove(browser, clock.now())
        waits = team.state(alice)
        admitted = run(app, "staff", "admit", "alice", typed=f"{team.installation.recovery_words}\n")

        assert waits is StaffState.WAITING
        assert admitted.exit_code == 0
        assert team.state(alice) is StaffState.ACTIVE
        assert team.words(alice) != old

    def test_recover_is_recorded_as_what_it_is(self, app: Flask, team: Team) -> None:
        alice = team.hire("alice")

        run(app, "keys", "recover", "alice")

        assert [entry.subject_id for entry in entries(AuditKind.KEYS_RECOVERED)] == [alice.id]

    def test_recover_renews_a_code_that_was_lost(self, app: Flask) -> None:
        first = printed(CODE, run(app, "staff", "invite", "erin", "--role", "auditor"))

        second = printed(CODE, run(app, "keys", "recover", "erin"))

        assert first != second
        now = runtime().clock.now()
        assert enrolment.invited_person(vault=runtime().vault, code=first, now=now) is None
        assert enrolment.invited_person(vault=runtime().vault, code=second, now=now) is not None
