"""The desk and vetting keys: shared with one seal, renewed when somebody leaves, and refused when swapped."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count, set_row
from ugly_mugs.accounts.keys import epochs, recovery
from ugly_mugs.accounts.models import EpochKind, Holder, KeyEpoch, KeySeal, RecoveryKey, Role, Staff
from ugly_mugs.accounts.people import admission, leaving
from ugly_mugs.app import create_app
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, NotAllowed
from ugly_mugs.runtime import runtime
from ugly_mugs.settings import Settings
from ugly_mugs.vault import CannotOpen, PrivateKey, RecoveryWords, SwappedKey, Where, content, symmetric


class Filed:
    """A content key, as of a new report: wrapped to the desk's current epoch only."""

    def __init__(self) -> None:
        epoch, public = epochs.current(EpochKind.DESK, vault=runtime().vault)
        self.epoch_id = epoch.id
        self.key = symmetric.new_key()
        self.where = Where("reports", "content_key", uuid.uuid4())
        self.wrapped = content.wrap(public, self.key, self.where)
        db.session.rollback()

    def opens_for(self, person: Colleague) -> bool:
        try:
            private = epochs.private_for(person.id, person.key, self.epoch_id)
            return private.open(self.wrapped, self.where) == self.key
        except (NotAllowed, CannotOpen):
            return False
        finally:
            db.session.rollback()


def rotate(kind: EpochKind = EpochKind.DESK) -> None:
    epoch = leaving.rotate(kind, vault=runtime().vault, now=runtime().clock.now())
    db.session.commit()
    epochs.mark(runtime().settings.keys_dir, epoch, vault=runtime().vault)
    db.session.rollback()


class TestAdmitting:
    def test_a_moderator_is_exactly_one_more_seal(self, team: Team, alice: Colleague) -> None:
        for _ in range(3):
            rotate()
        alice.clock.forward(seconds=30)
        alice.sign_in()
        before, filed = count(KeySeal), Filed()

        dave = team.enrol("dave")
        team.admit(dave)

        assert count(KeySeal) == before + 1
        assert count(KeySeal, KeySeal.holder == Holder.STAFF, KeySeal.holder_id == dave.id) == 1
        assert filed.opens_for(dave)

    def test_somebody_with_both_tasks_is_one_seal_of_each_kind(self, team: Team, alice: Colleague) -> None:
        team.hire("charlie")
        before = count(KeySeal)

        both = team.enrol("dave", Role.MODERATOR, Role.MEMBER_ADMIN)
        team.admit(both)

        assert count(KeySeal) == before + 2
        kinds = db.session.scalars(
            sa.select(KeyEpoch.kind)
            .join(KeySeal, KeySeal.epoch_id == KeyEpoch.id)
            .where(KeySeal.holder_id == both.id)
        )
        assert set(kinds) == {EpochKind.DESK, EpochKind.VETTING}

    def test_opens_everything_that_came_in_before(self, team: Team, alice: Colleague) -> None:
        filed = [Filed()]
        for _ in range(2):
            rotate()
            filed.append(Filed())
        alice.clock.forward(seconds=30)
        alice.sign_in()

        dora = team.hire("dora")

        assert all(report.opens_for(dora) for report in filed)

    def test_links_the_epochs_first_if_one_began_while_the_moderator_was_signed_in(
        self, team: Team, alice: Colleague
    ) -> None:
        filed = Filed()
        rotate()

        dave = team.hire("dave")

        assert filed.opens_for(dave)

    def test_to_the_desk_opens_nothing_of_the_vetters(self, alice: Colleague) -> None:
        vetting, _ = epochs.current(EpochKind.VETTING, vault=runtime().vault)

        with pytest.raises(NotAllowed):
            epochs.private_for(alice.id, alice.key, vetting.id)

    def test_is_not_for_people_without_the_key(self, team: Team, alice: Colleague) -> None:
        newcomer, charlie = team.enrol("dave"), team.hire("charlie")

        with pytest.raises(NotAllowed):
            admission.admit(
                vault=runtime().vault,
                person=team.person(newcomer),
                by_id=charlie.id,
                by_key=charlie.key,
                by_roles=charlie.roles,
                now=runtime().clock.now(),
            )

    def test_of_a_swapped_key_is_refused(self, team: Team, alice: Colleague) -> None:
        newcomer, attacker = team.enrol("dave"), PrivateKey.generate()
        set_row(Staff, newcomer.id, public_key=attacker.public().raw)

        with pytest.raises(SwappedKey):
            team.admit(newcomer)

        db.session.rollback()
        assert count(KeySeal, KeySeal.holder_id == newcomer.id) == 0

    def test_of_a_key_moved_here_from_somebody_else_is_refused(self, team: Team, alice: Colleague) -> None:
        newcomer, other = team.enrol("dave"), team.person(alice)
        moved = {"public_key": other.public_key, "public_key_mac": other.public_key_mac}
        set_row(Staff, newcomer.id, **moved)

        with pytest.raises(SwappedKey):
            team.admit(newcomer)


class TestLeaving:
    def test_closes_what_comes_in_afterwards(self, team: Team, alice: Colleague, dave: Colleague) -> None:
        team.remove(dave)

        filed = Filed()

        assert not filed.opens_for(dave)
        assert filed.opens_for(alice)

    def test_leaves_whoever_remains_everything(self, team: Team, alice: Colleague, dave: Colleague) -> None:
        before = Filed()
        team.remove(dave)
        after = Filed()

        assert before.opens_for(alice)
        assert after.opens_for(alice)

    def test_takes_seals_sessions_and_credentials(self, team: Team, dave: Colleague) -> None:
        team.remove(dave)

        person = team.person(dave)
        assert (person.private_key, person.public_key, person.totp_secret) == (None, None, None)
        db.session.rollback()
        assert count(KeySeal, KeySeal.holder_id == dave.id) == 0
        assert dave.browser.get("/desk/account").status_code == 303
        dave.clock.forward(seconds=30)
        assert dave.sign_in().status_code == 400

    def test_of_a_member_admin_renews_only_the_vetters_key(self, team: Team, alice: Colleague) -> None:
        charlie = team.hire("charlie")

        team.remove(charlie)

        marks = runtime().vault.epochs
        assert [mark.number for mark in marks["vetting"]] == [1, 2]
        assert [mark.number for mark in marks["desk"]] == [1]

    def test_of_somebody_without_a_key_renews_none(self, team: Team) -> None:
        team.remove(team.hire("ada"))

        assert [len(marks) for marks in runtime().vault.epochs.values()] == [1, 1]

    def test_frees_the_name(self, team: Team, dave: Colleague) -> None:
        team.remove(dave)

        again = team.hire("dave", Role.AUDITOR)

        assert again.id != dave.id

    def test_of_the_last_one_leaves_the_words_on_paper(self, team: Team, alice: Colleague) -> None:
        before = Filed()
        team.remove(alice)
        after = Filed()

        dave = team.hire("dave")

        assert after.opens_for(dave)
        recovered = recovery.recover(team.installation.recovery_words, vault=runtime().vault)
        private = epochs.open_epoch(Holder.RECOVERY, recovered.row.id, recovered.key, before.epoch_id)
        assert private.open(before.wrapped, before.where) == before.key


class TestLinks:
    def links(self) -> int:
        return count(KeySeal, KeySeal.holder == Holder.NEXT_EPOCH)

    def test_are_added_at_the_next_sign_in(self, team: Team, alice: Colleague) -> None:
        dave = team.hire("dave")
        team.remove(dave)
        before = self.links()

        alice.clock.forward(seconds=30)
        alice.sign_in()

        assert before == 0
        assert self.links() == 1

    def test_are_added_once(self, alice: Colleague) -> None:
        rotate()
        for _ in range(2):
            alice.clock.forward(seconds=30)
            alice.sign_in()

        assert self.links() == 1

    def test_are_not_added_by_people_without_the_key(self, team: Team, alice: Colleague) -> None:
        ada = team.hire("ada")
        rotate()

        ada.clock.forward(seconds=30)
        ada.sign_in()

        assert self.links() == 0

    def test_that_are_missing_close_the_former_epoch_to_a_newcomer(
        self, team: Team, alice: Colleague
    ) -> None:
        filed = Filed()
        team.remove(alice)

        dave = team.hire("dave")

        assert not filed.opens_for(dave)

    def test_are_never_sealed_to_an_epoch_that_was_planted(self, alice: Colleague) -> None:
        attacker = PrivateKey.generate().public().raw
        db.session.add(
            KeyEpoch(
                id=uuid.uuid4(),
                kind=EpochKind.DESK,
                number=2,
                public_key=attacker,
                public_key_mac=bytes(32),
                created_on=runtime().clock.now().date(),
            )
        )
        db.session.commit()

        with pytest.raises(SwappedKey):
            epochs.add_links(alice.id, alice.key, vault=runtime().vault)


class TestTheCurrentEpoch:
    def test_is_refused_when_its_key_was_swapped(self, app: Flask) -> None:
        raw = PrivateKey.generate().public().raw
        db.session.execute(sa.update(KeyEpoch).values(public_key=raw))

        with pytest.raises(SwappedKey):
            epochs.current(EpochKind.DESK, vault=runtime().vault)

    def test_is_refused_when_it_was_renewed_by_somebody_without_the_key_folder(self, app: Flask) -> None:
        """Even somebody who holds the service root, and so could write the row's MAC."""
        epoch, _ = epochs.current(EpochKind.DESK, vault=runtime().vault)
        raw = PrivateKey.generate().public().raw
        place = Where("key_epochs", "public_key", epoch.id)
        epoch.public_key, epoch.public_key_mac = raw, runtime().vault.mac_public_key(place, raw)

        with pytest.raises(SwappedKey):
            epochs.current(EpochKind.DESK, vault=runtime().vault)

    def test_is_not_replaced_by_a_former_one(self, alice: Colleague) -> None:
        rotate()
        newest = sa.select(KeyEpoch.id).where(KeyEpoch.kind == EpochKind.DESK, KeyEpoch.number == 2)
        db.session.execute(sa.delete(KeySeal).where(KeySeal.epoch_id.in_(newest)))
        db.session.execute(sa.delete(KeyEpoch).where(KeyEpoch.kind == EpochKind.DESK, KeyEpoch.number == 2))

        with pytest.raises(SwappedKey):
            epochs.current(EpochKind.DESK, vault=runtime().vault)

    def test_stays_in_use_until_the_key_folder_names_the_next(self, alice: Colleague) -> None:
        leaving.rotate(EpochKind.DESK, vault=runtime().vault, now=runtime().clock.now())
        db.session.commit()

        epoch, _ = epochs.current(EpochKind.DESK, vault=runtime().vault)

        assert epoch.number == 1

    def test_is_learned_by_a_web_process_that_was_running_meanwhile(self, other: Flask) -> None:
        with other.app_context():
            epochs.current(EpochKind.DESK, vault=runtime().vault)
            db.session.rollback()

        rotate()

        with other.app_context():
            epoch, _ = epochs.current(EpochKind.DESK, vault=runtime().vault)
            assert epoch.number == 2
            db.session.rollback()

    @pytest.fixture
    def other(self, settings: Settings, clock: MovableClock, app: Flask) -> Iterator[Flask]:
        other = create_app(settings, clock=clock)
        yield other
        with other.app_context():
            db.session.remove()
            db.engine.dispose()


class TestTheRecoveryWords:
    def test_are_replaced_after_any_use(self, team: Team) -> None:
        first = team.installation.recovery_words

        team.hire("alice")

        assert team.installation.recovery_words != first
        with pytest.raises(NotAllowed):
            recovery.recover(first, vault=runtime().vault)

    def test_still_open_every_epoch_after_being_replaced(self, team: Team, alice: Colleague) -> None:
        rotate()
        team.hire("charlie")

        recovered = recovery.recover(team.installation.recovery_words, vault=runtime().vault)

        for epoch in db.session.scalars(sa.select(KeyEpoch)):
            private = epochs.open_epoch(Holder.RECOVERY, recovered.row.id, recovered.key, epoch.id)
            assert private.public().raw == epoch.public_key

    def test_of_another_key_written_into_the_database_are_refused(self, app: Flask) -> None:
        words, key = RecoveryWords.generate()
        db.session.execute(sa.update(RecoveryKey).values(public_key=key.public().raw))

        with pytest.raises(SwappedKey):
            recovery.recover(words, vault=runtime().vault)

    def test_do_not_admit_somebody_who_is_at_work_already(self, team: Team, alice: Colleague) -> None:
        recovered = recovery.recover(team.installation.recovery_words, vault=runtime().vault)

        with pytest.raises(Conflict):
            admission.admit_with_recovery(
                vault=runtime().vault,
                person=team.person(alice),
                recovered=recovered,
                now=runtime().clock.now(),
            )


def test_a_stranger_opens_no_epoch(alice: Colleague) -> None:
    filed, stranger = Filed(), PrivateKey.generate()

    with pytest.raises(NotAllowed):
        epochs.private_for(uuid.uuid4(), stranger, filed.epoch_id)
    with pytest.raises(CannotOpen):
        epochs.private_for(alice.id, stranger, filed.epoch_id)
