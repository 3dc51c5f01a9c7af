"""The condition for claiming a delivery of an alert, which is checked at every claim."""

import uuid

import pytest
import sqlalchemy as sa

from alerts.membership.models import Member, MemberState, Subscription
from alerts.publishing import jobs
from alerts.publishing.models import Alert, AlertState
from reporting.record.consents import Consents, When
from reporting.record.models import OutputState
from tests.make.alerts import Newsroom, member
from tests.make.clock import MovableClock
from tests.make.databases import execute, set_row
from ugly_mugs.outbox.models import Address, AddressState, DeliveryState


class TestGate:
    @pytest.fixture(autouse=True)
    def reader(self, newsroom: Newsroom) -> uuid.UUID:
        return member()

    def test_it_opens_for_what_was_approved(self, newsroom: Newsroom, reader: uuid.UUID) -> None:
        newsroom.approved()

        assert [delivery.recipient_id for delivery in newsroom.claim()] == [reader]

    def test_a_hold_of_the_reporter_closes_it_at_once(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()
        newsroom.approved(report)

        report.hold()
        assert newsroom.claim() == []
        report.let_go()

        assert len(newsroom.claim()) == 1

    def test_a_withdrawal_closes_it_for_ever(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()
        alert_id = newsroom.approved(report)

        report.withdraw()
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.CANCELLED
        assert newsroom.alert(alert_id).texts == []
        assert newsroom.claim() == []
        assert {delivery.state for delivery in newsroom.deliveries(alert_id)} == {DeliveryState.CANCELLED}

    def test_a_changed_consent_closes_it(self, newsroom: Newsroom) -> None:
        report = newsroom.ready()
        newsroom.approved(report)

        report.change(Consents(warn_others=True, when=When.AFTER_SEEN))

        assert newsroom.claim() == []

    @pytest.mark.parametrize("state", sorted(set(MemberState) - {MemberState.ACTIVE}))
    def test_only_active_members_get_anything(
        self, newsroom: Newsroom, reader: uuid.UUID, state: MemberState
    ) -> None:
        newsroom.approved()

        set_row(Member, reader, state=state)

        assert newsroom.claim() == []

    def test_a_subscription_ended_meanwhile_closes_it(self, newsroom: Newsroom) -> None:
        newsroom.approved()

        execute(sa.update(Subscription).values(live=False))

        assert newsroom.claim() == []

    @pytest.mark.parametrize("state", sorted(set(AddressState) - {AddressState.PROVED}))
    def test_only_proved_addresses_get_anything(self, newsroom: Newsroom, state: AddressState) -> None:
        newsroom.approved()

        execute(sa.update(Address).values(state=state))

        assert newsroom.claim() == []

    def test_the_end_of_the_alert_closes_it(self, newsroom: Newsroom, clock: MovableClock) -> None:
        alert_id = newsroom.approved(days="1")
        clock.forward(days=2)

        assert newsroom.claim() == []
        jobs.finish()

        assert newsroom.state(alert_id) is AlertState.EXPIRED
        assert newsroom.output(alert_id).state is OutputState.ENDED

    @pytest.mark.parametrize("state", sorted(set(AlertState) - {AlertState.PUBLISHING, AlertState.LIVE}))
    def test_no_other_state_of_an_alert_sends(self, newsroom: Newsroom, state: AlertState) -> None:
        alert_id = newsroom.approved()

        set_row(Alert, alert_id, state=state)

        assert newsroom.claim() == []
