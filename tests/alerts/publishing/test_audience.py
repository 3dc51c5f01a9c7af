"""Which members an alert reaches."""

from alerts.membership.models import MemberState, Sector
from tests.make.alerts import Newsroom, member
from tests.make.cast import Colleague
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.outbox.models import Channel


class TestThirdParties:
    """Establishments get an alert about a manager or third party only when a moderator chose that."""

    OFFENDERS = [{"relation": "third_party", "build": "broad"}]

    def test_an_establishment_gets_nothing_by_default(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        member(kind=MemberKind.ESTABLISHMENT)
        person = member()
        report = newsroom.ready(alice, offenders=self.OFFENDERS)

        alert_id = newsroom.approved(alice, bob, report)

        assert newsroom.recipients(alert_id) == {(person, Channel.SMS)}

    def test_a_moderator_can_include_establishments(
        self, newsroom: Newsroom, alice: Colleague, bob: Colleague
    ) -> None:
        parlour = member(kind=MemberKind.ESTABLISHMENT)
        report = newsroom.ready(alice, offenders=self.OFFENDERS)

        alert_id = newsroom.approved(alice, bob, report, establishments_too="yes")

        assert newsroom.recipients(alert_id) == {(parlour, Channel.SMS)}


def test_what_happened_online_concerns_everybody_who_works_online(
    newsroom: Newsroom, alice: Colleague, bob: Colleague
) -> None:
    online = member(regions=["wales"], sectors=[Sector.ONLINE])
    member(sectors=[Sector.STREET])
    report = newsroom.ready(alice, place={"premises": "online"})

    alert_id = newsroom.approved(alice, bob, report)

    assert newsroom.recipients(alert_id) == {(online, Channel.SMS)}


def test_a_member_who_left_gets_nothing(newsroom: Newsroom, alice: Colleague, bob: Colleague) -> None:
    member(state=MemberState.REMOVED)

    assert newsroom.recipients(newsroom.approved(alice, bob)) == set()
