"""Which members an alert reaches."""

from alerts.membership.models import MemberState, Sector
from tests.make.alerts import Newsroom, member
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.outbox.models import Channel


class TestThirdParties:
    """Establishments get an alert about a manager or third party only when a moderator chose that."""

    OFFENDERS = [{"relation": "third_party", "build": "broad"}]

    def test_an_establishment_gets_nothing_by_default(self, newsroom: Newsroom) -> None:
        member(kind=MemberKind.ESTABLISHMENT)
        person = member()
        report = newsroom.ready(offenders=self.OFFENDERS)

        alert_id = newsroom.approved(report)

        assert newsroom.recipients(alert_id) == {(person, Channel.SMS)}

    def test_a_moderator_can_include_establishments(self, newsroom: Newsroom) -> None:
        parlour = member(kind=MemberKind.ESTABLISHMENT)
        report = newsroom.ready(offenders=self.OFFENDERS)

        alert_id = newsroom.approved(report, establishments_too="yes")

        assert newsroom.recipients(alert_id) == {(parlour, Channel.SMS)}


def test_what_happened_online_concerns_everybody_who_works_online(newsroom: Newsroom) -> None:
    online = member(regions=["wales"], sectors=[Sector.ONLINE])
    member(sectors=[Sector.STREET])
    report = newsroom.ready(place={"premises": "online"})

    alert_id = newsroom.approved(report)

    assert newsroom.recipients(alert_id) == {(online, Channel.SMS)}


def test_a_member_who_left_gets_nothing(newsroom: Newsroom) -> None:
    member(state=MemberState.REMOVED)

    assert newsroom.recipients(newsroom.approved()) == set()
