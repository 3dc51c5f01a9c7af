"""The pages of alerts for the desk and for members, the proposal of a draft, and who is refused."""

import re
import uuid
from datetime import date
from html import unescape

import pytest
from flask import Flask

from alerts.membership.models import Level, MemberState
from alerts.publishing import jobs
from reporting.record.consents import Consents, When
from tests.make.alerts import Newsroom, member, moved
from tests.make.cast import Colleague
from tests.make.clock import MovableClock
from tests.make.sessions import begin_member_session
from ugly_mugs.outbox.models import Channel, DeliveryState


class Reader:
    """A member who has signed in; typing a code is tested with the members' own pages."""

    def __init__(self, app: Flask, member_id: uuid.UUID) -> None:
        self.browser = app.test_client()
        begin_member_session(self.browser, member_id)

    def page(self, path: str = "/alerts") -> str:
        return self.browser.get(path).text


@pytest.fixture
def reader(app: Flask) -> Reader:
    return Reader(app, member())


class TestMembersPages:
    def test_current_alerts_are_listed_and_can_be_read(self, newsroom: Newsroom, reader: Reader) -> None:
        reference = newsroom.alert(newsroom.approved()).family.reference

        assert f'href="/alerts/{reference}"' in reader.page()
        page = reader.page(f"/alerts/{reference.lower()}")

        assert "Where and when: in Leeds" in page and "blue van" in page

    def test_own_regions_come_first(self, app: Flask, newsroom: Newsroom) -> None:
        own = newsroom.approved(regions=["scotland"], page="It was reported, up north.")
        elsewhere = newsroom.approved(regions=["wales"])
        page = Reader(app, member(regions=["scotland"])).page()

        places = [page.index(newsroom.alert(alert_id).family.reference) for alert_id in (own, elsewhere)]
        assert places == sorted(places)
        assert page.index("Where you work") < places[0] < page.index("Elsewhere") < places[1]

    def test_identifiers_are_read_there_when_the_moderator_chose_them(
        self, newsroom: Newsroom, reader: Reader
    ) -> None:
        alert_id = newsroom.draft()
        newsroom.save(alert_id, "rewrite", identifiers=["phone:07700 900456"])
        newsroom.submit(alert_id)
        newsroom.approve(alert_id)

        page = reader.page(f"/alerts/{newsroom.alert(alert_id).family.reference}")

        assert "Phone: 07700 900456" in page and "Name given" not in page

    @pytest.mark.parametrize("button", ["pause", "cancel"])
    def test_what_is_stopped_is_not_shown(self, newsroom: Newsroom, reader: Reader, button: str) -> None:
        alert_id = newsroom.approved()
        reference = newsroom.alert(alert_id).family.reference

        newsroom.press(alert_id, button)

        assert reference not in reader.page()
        page = reader.page(f"/alerts/{reference}")
        assert "This notice has ended." in page and "blue van" not in page

    def test_what_the_reporter_holds_is_not_shown(self, newsroom: Newsroom, reader: Reader) -> None:
        report = newsroom.ready()
        reference = newsroom.alert(newsroom.approved(report)).family.reference

        report.hold()

        assert reference not in reader.page()

    def test_what_was_never_sent_is_not_there(self, newsroom: Newsroom, reader: Reader) -> None:
        reference = newsroom.alert(newsroom.submitted()).family.reference

        assert reader.browser.get(f"/alerts/{reference}").status_code == 404
        assert reader.browser.get("/alerts/ZZZZ").status_code == 404

    def test_members_who_are_not_accepted_read_nothing(self, app: Flask, newsroom: Newsroom) -> None:
        reference = newsroom.alert(newsroom.approved()).family.reference

        for state in (MemberState.APPLIED, MemberState.REJECTED, MemberState.REMOVED):
            browser = Reader(app, member(state=state)).browser
            for path in ("/alerts", f"/alerts/{reference}"):
                answer = browser.get(path)
                assert answer.status_code == 303 and reference not in answer.text

    def test_strangers_are_asked_to_sign_in(self, app: Flask) -> None:
        assert app.test_client().get("/alerts").location == "/sign-in"

    def test_titles_say_nothing(self, newsroom: Newsroom, reader: Reader) -> None:
        reference = newsroom.alert(newsroom.approved()).family.reference

        for path in ("/alerts", f"/alerts/{reference}"):
            assert re.search(r"<title>(.*?)</title>", reader.page(path), re.S)[1] == "Notices"  # type: ignore[index]


class TestDesk:
    def test_the_list_shows_what_needs_somebody_first(self, newsroom: Newsroom, bob: Colleague) -> None:
        live, waiting = newsroom.approved(), newsroom.submitted()

        page = bob.browser.get("/desk/alerts").text

        assert page.index(str(waiting)) < page.index(str(live))
        assert "waits for approval" in page and "on its way" in page and "alice" in page

    def test_people_with_another_task_do_not_see_it(self, charlie: Colleague) -> None:
        assert charlie.browser.get("/desk/alerts").status_code == 403

    def test_the_draft_page_counts_what_a_text_costs(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        newsroom.save(alert_id, sms="“Reported” – be careful…")
        plain = newsroom.page(alert_id).text
        newsroom.save(alert_id, sms="小心 " * 40)
        costly = newsroom.page(alert_id).text

        assert "&#34;Reported&#34; - be careful..." in plain and "One part, 26 of 160" in plain
        assert "2 parts" in costly and "make each part shorter" in costly

    def test_it_says_whom_it_reaches_and_how_long_that_takes(self, newsroom: Newsroom) -> None:
        for level in (Level.NEUTRAL, Level.NEUTRAL, Level.FULL):
            member(level=level, channels=Channel)
        alert_id = newsroom.draft()

        newsroom.save(alert_id, sms="Reported. " * 60)
        page = newsroom.page(alert_id).text

        texts = page[page.index(">Text message</th>") :]
        assert re.findall(r">(\d+)</td>", texts)[:2] == ["3", "6"]
        assert "1 second" in texts

    def test_the_approver_sees_everything_they_agree_to(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.submitted()
        reference = newsroom.alert(alert_id).family.reference

        page = newsroom.approval_page(alert_id).text

        assert f"New notice {reference}, see" in page
        assert "Danger " + reference in page
        assert "I am […]." in page and "Marisol" not in page
        assert "Nothing was found" in page and "Yorkshire" in page
        assert "Approve, let it leave" in page

    def test_the_live_page_counts(self, newsroom: Newsroom) -> None:
        member(), member(channels=Channel)
        alert_id = newsroom.approved()
        moved(newsroom.deliveries(alert_id)[0], state=DeliveryState.DELIVERED)

        page = newsroom.approval_page(alert_id).text

        assert len(re.findall(r">arrived</th>", page)) == 1
        assert "alice" in page and "bob" in page and "<script" not in page

    def test_it_looks_again_by_itself_only_for_who_asked_and_loses_nothing_typed(
        self, newsroom: Newsroom, alice: Colleague
    ) -> None:
        member()
        alert_id = newsroom.approved()
        still = newsroom.page(alert_id).text
        link = re.search(r'href="([^"]*)">Keep counting', still)
        assert link is not None

        moving = alice.browser.get(unescape(link[1])).text

        assert "http-equiv" not in still and "Write a new version" in still
        assert '<meta http-equiv="refresh" content="20">' in moving and "Keep counting" not in moving
        assert f'<a href="/desk/alerts/{alert_id}">Stop counting' in moving
        assert not re.search(r'<(?:input type="(?!hidden)|textarea|select)', moving)

    def test_it_stops_looking_when_it_is_over(self, newsroom: Newsroom, alice: Colleague) -> None:
        alert_id = newsroom.approved()
        jobs.finish()

        page = alice.browser.get(f"/desk/alerts/{alert_id}?live=on").text

        assert "http-equiv" not in page and "counting" not in page and "Write a new version" in page

    def test_it_does_not_look_again_while_the_alert_waits(self, newsroom: Newsroom, alice: Colleague) -> None:
        report = newsroom.ready(Consents(warn_others=True, when=When.AFTER_SEEN))
        alert_id = newsroom.approved(report)

        page = alice.browser.get(f"/desk/alerts/{alert_id}?live=on").text

        assert "http-equiv" not in page and "counting" not in page

    def test_a_page_left_alone_keeps_nobody_signed_in(
        self, newsroom: Newsroom, alice: Colleague, clock: MovableClock
    ) -> None:
        member()
        alert_id = newsroom.approved()
        newsroom.page(alert_id)

        for _time in range(2):
            clock.forward(minutes=7)
            assert alice.browser.get(f"/desk/alerts/{alert_id}?live=on").status_code == 200
        clock.forward(minutes=2)
        over = alice.browser.get(f"/desk/alerts/{alert_id}?live=on")

        assert over.location == "/desk/sign-in?again=yes"
        assert "when nothing happens for 15 minutes" in alice.browser.get(over.location).text

    def test_a_chosen_identifier_missing_from_the_texts_is_pointed_out(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        newsroom.save(alert_id, identifiers=["phone:07700 900456"])
        assert "the full texts do not hold them: 07700 900456" in newsroom.page(alert_id).text
        newsroom.save(alert_id, "rewrite")

        assert "the full texts do not hold them" not in newsroom.page(alert_id).text
        assert "Phone: 07700 900456" in newsroom.answers(alert_id)["sms"]


class TestProposal:
    def test_a_day_becomes_a_week_and_a_time_of_day(self, newsroom: Newsroom) -> None:
        alert_id = newsroom.draft()

        answers = newsroom.answers(alert_id)

        assert answers["when"] == "in the week of 16 November, in the evening"
        assert "18" not in answers["when"]

    def test_a_place_that_is_no_town_is_not_proposed(self, newsroom: Newsroom) -> None:
        report = newsroom.ready(place={"place": "12 Example Street", "premises": "theirs"})

        answers = newsroom.answers(newsroom.draft(report))

        assert answers["place"] == "" and "Example Street" not in answers["page"]

    def test_regions_come_from_the_place(self, newsroom: Newsroom) -> None:
        report = newsroom.ready(place={"place": "Cardiff"})

        assert newsroom.answers(newsroom.draft(report))["regions"] == ["wales"]

    def test_accent_language_and_the_reporters_own_words_stay_out(self, newsroom: Newsroom) -> None:
        report = newsroom.ready(
            offenders=[{"accent": "Examplish", "height": "tall"}],
            about_you={"language": "Portuguese", "sector": "street", "working_names": ["Marisol"]},
            when={"roughly": "the day my sister visited"},
        )

        answers = newsroom.answers(newsroom.draft(report))

        assert "tall" in answers["page"]
        for word in ("Examplish", "Portuguese", "sister"):
            assert word not in answers["page"] + answers["sms"] + answers["when"]

    def test_a_report_with_nothing_but_an_account_can_be_drafted(self, newsroom: Newsroom) -> None:
        report = newsroom.ready(
            happened={"account": "I am Marisol."}, offenders=[], place={}, when={}, about_you={}
        )

        answers = newsroom.answers(newsroom.draft(report))

        assert "This was reported: something to be careful about." in answers["page"]
        assert answers["severity"] == ["risk"] and answers["online"] == ["yes"]

    def test_nothing_leaves_before_the_reporters_day(self, newsroom: Newsroom) -> None:
        wanted = Consents(warn_others=True, when=When.NOT_BEFORE, not_before=date(2026, 12, 1))
        alert = newsroom.alert(newsroom.submitted(newsroom.ready(wanted)))

        assert alert.not_before is not None and alert.not_before.date() == date(2026, 12, 1)
        assert alert.expires_at is not None and (alert.expires_at - alert.not_before).days == 31
