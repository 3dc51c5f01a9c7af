"""Signing in: only the code sent proves the address, and nothing reveals who is a member."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from alerts.membership.jobs import sweep_codes
from alerts.membership.models import MEMBER_MOVES, Member, MemberState, SignInCode
from alerts.membership.sign_in import services
from alerts.membership.sign_in.budgets import CodeBudgets
from tests.make.databases import count
from tests.make.members import EMAIL, PHONE, Members, Person
from tests.make.pages import hidden
from tests.make.threads import at_once
from ugly_mugs.accounts.models import Session, SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import PleaseWait
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery, Handover, MessageKind
from ugly_mugs.runtime import runtime

STRANGE = "07700 900555"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


class TestTheWayIn:
    def test_the_code_that_arrives_signs_in_and_proves_the_address(self, members: Members) -> None:
        sam = members.apply()

        answer = sam.sign_in()

        assert answer.location == "/alerts/waiting"
        address = members.address(PHONE)
        assert address.state is AddressState.PROVED

    @pytest.mark.parametrize("typed", ["+44 7700 900123", "07700900123", "0044 7700-900123"])
    def test_the_address_may_be_written_in_many_ways(self, members: Members, typed: str) -> None:
        sam = members.apply()

        assert sam.sign_in(typed).location == "/alerts/waiting"

    def test_an_e_mail_address_in_capitals_is_the_same(self, members: Members) -> None:
        sam = members.apply(phone=None, email=EMAIL)

        assert sam.sign_in("Sam@Example.ORG").location == "/alerts/waiting"

    def test_the_code_may_be_typed_with_a_space(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()

        assert sam.type_code(f" {code[:3]} {code[3:]} ").status_code == 303

    def test_id_and_secret_of_the_session_are_new_afterwards(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()
        before = sam.browser.get_cookie("member")
        sam.type_code(code)
        after = sam.browser.get_cookie("member")

        assert before is not None and after is not None and before.value != after.value
        session = db.session.scalars(sa.select(Session)).one()
        assert session.kind is SessionKind.MEMBER and session.owner_id == sam.member.id

    def test_the_cookie_ends_with_the_browser_and_no_script_sees_it(self, members: Members) -> None:
        cookie = members.apply().ask_for_code().headers["Set-Cookie"]

        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age" not in cookie

    def test_the_page_shows_where_the_code_went_to_whoever_typed_it(self, members: Members) -> None:
        sam = members.person()
        sam.ask_for_code()

        page = sam.browser.get("/sign-in/code").text

        assert "••• 123" in page and "900123" not in page

    def test_whoever_is_in_already_is_led_on(self, members: Members) -> None:
        sam = members.join()

        assert sam.browser.get("/sign-in").location == "/alerts"
        assert sam.browser.get("/sign-in/code").location == "/alerts"

    def test_signing_out_ends_the_session(self, members: Members) -> None:
        sam = members.join()

        sam.post("/alerts/sign-out")

        assert count(Session) == 0
        assert sam.browser.get("/alerts/preferences").location == "/sign-in"

    def test_an_accepted_member_who_lapsed_is_back(self, members: Members) -> None:
        sam = members.join()
        MEMBER_MOVES.move(sam.member, MemberState.LAPSED)
        db.session.commit()
        sam.post("/alerts/sign-out")

        sam.sign_in()

        assert sam.member.state is MemberState.ACTIVE


class TestNobodyLearnsWhoIsAMember:
    def pages(self, members: Members, address: str) -> list[str]:
        """The web's answers to somebody who types this address and guesses a code."""
        person = members.person()
        answers = [person.ask_for_code(address)]
        members.work()
        answers.append(person.browser.get("/sign-in/code"))
        known = {code for _to, code in members.waiting_codes()}
        guesses = [f"{number:06d}" for number in range(6) if f"{number:06d}" not in known][:5]
        answers += [person.type_code(guess) for guess in guesses]
        pages = [f"{answer.status_code} {answer.headers.get('Location')} {answer.text}" for answer in answers]
        return [re.sub(r'name="csrf" value="[^"]+"|••• \d+', "", page) for page in pages]

    def test_a_known_and_a_strange_address_get_the_same_pages(self, members: Members) -> None:
        members.join()

        assert self.pages(members, PHONE) == self.pages(members, STRANGE)

    def test_the_web_writes_the_same_rows_for_both(self, members: Members) -> None:
        members.join()
        models = (SignInCode, Handover, Session, Delivery, Address, Member)
        changes = []
        for address in (PHONE, STRANGE):
            before = [count(model) for model in models]
            members.person().ask_for_code(address)
            changes.append([count(model) - earlier for model, earlier in zip(models, before, strict=True)])

        assert changes == [[1, 1, 1, 0, 0, 0]] * 2
        codes = db.session.scalars(sa.select(SignInCode)).all()
        assert {(code.tries_left, code.expires_at, code.address_id) for code in codes} == {
            (5, codes[0].expires_at, None)
        }
        sizes = {
            len(handover.sealed) for handover in db.session.scalars(sa.select(Handover)) if handover.sealed
        }
        assert len(sizes) == 1

    def test_no_code_is_sent_to_an_address_nobody_gave(self, members: Members) -> None:
        members.person().ask_for_code(STRANGE)
        members.work()

        assert count(Delivery) == count(Address) == 0

    def test_even_the_right_digits_are_wrong_where_no_code_was_sent(self, members: Members) -> None:
        stranger = members.person(phone=STRANGE)
        stranger.ask_for_code()
        members.work()
        session = db.session.scalars(sa.select(SignInCode)).one()
        vault = members.vault
        secret = bytes(32)
        session.code = vault.code_mac(session.id, secret, "123456")
        db.session.commit()

        attempt = services.try_code(
            vault=vault,
            requested=services.CodeRequest(session.id, secret),
            typed="123456",
            now=members.clock.now(),
        )

        assert attempt.verdict is services.Verdict.WRONG


class TestACode:
    def test_it_goes_only_to_the_address_that_was_typed(self, members: Members) -> None:
        sam = members.apply(phone=PHONE, email=EMAIL)

        sam.receive_code(EMAIL)

        assert [to for to, _code in members.waiting_codes()] == [EMAIL]

    def test_five_wrong_tries_end_it(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()

        answers = [sam.type_code(wrong(code)) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [400] * 4
        assert "You can try 4 more times" in answers[0].text and "You can try once more" in answers[3].text
        assert sam.type_code(wrong(code)).location == "/sign-in?why=over"
        assert "five tries" in sam.browser.get("/sign-in?why=over").text
        assert sam.browser.get("/sign-in/code").location == "/sign-in"

    def test_the_fifth_try_may_be_the_right_one(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()
        for _ in range(4):
            sam.type_code(wrong(code))

        assert sam.type_code(code).location == "/alerts/waiting"

    def test_it_ends_after_ten_minutes(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()
        members.clock.forward(minutes=10)

        assert sam.type_code(code).location == "/sign-in?why=over"

    def test_it_counts_only_in_the_browser_that_asked(self, members: Members) -> None:
        sam, kit = members.apply(), members.person()
        kit.ask_for_code(STRANGE)
        code = sam.receive_code()

        assert kit.type_code(code).status_code == 400
        assert sam.type_code(code).status_code == 303

    def test_it_works_once(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()
        cookie = sam.browser.get_cookie("member")
        assert cookie is not None
        sam.type_code(code)

        again = members.person()
        again.browser.set_cookie("member", cookie.value)
        answer = again.browser.post("/sign-in/code", data={"csrf": "", "code": code})

        assert count(SignInCode) == 0
        assert answer.location == "/sign-in?why=over"

    def test_of_many_tries_at_the_same_moment_five_count(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()
        page = sam.browser.get("/sign-in/code")
        csrf = hidden(page, "csrf")
        cookie = sam.browser.get_cookie("member")
        assert cookie is not None

        def type_wrong() -> int:
            browser = members.app.test_client()
            browser.set_cookie("member", cookie.value)
            return browser.post("/sign-in/code", data={"csrf": csrf, "code": wrong(code)}).status_code

        answers = at_once([type_wrong] * 12)

        assert answers.count(400) == 4 and answers.count(303) == 8

    def test_the_form_of_another_session_is_sent_back_with_what_was_typed(self, members: Members) -> None:
        sam = members.apply()
        code = sam.receive_code()

        answer = sam.browser.post("/sign-in/code", data={"csrf": "wrong", "code": code})

        assert answer.status_code == 400
        assert db.session.scalars(sa.select(SignInCode)).one().tries_left == 5

    def test_an_empty_or_odd_one_uses_no_member_up(self, members: Members) -> None:
        sam = members.apply()
        sam.receive_code()

        assert sam.type_code("").status_code == 400
        assert sam.type_code("١٢٣٤٥٦").status_code == 400
        assert sam.type_code("12345678901").status_code == 400

    def test_the_sweep_forgets_those_that_are_over_and_no_others(self, members: Members) -> None:
        sam = members.apply()
        sam.ask_for_code()
        members.clock.forward(minutes=9)
        sam.ask_for_code()
        members.clock.forward(minutes=1)

        sweep_codes(members.clock.now())
        db.session.commit()

        assert count(SignInCode) == 1


class TestAskingForOne:
    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ("", "Please fill this in."),
            ("sam at home", "phone number"),
            ("sam@", "e-mail address"),
            ("0113 496 0123", "landline"),
            ("+1 202 555 0123", "mobiles of the UK"),
        ],
    )
    def test_what_is_no_address_is_said_and_kept(self, members: Members, typed: str, message: str) -> None:
        sam = members.person()
        token = hidden(sam.browser.get("/sign-in"), "token")

        answer = sam.browser.post("/sign-in", data={"token": token, "address": typed})

        assert answer.status_code == 400 and message in answer.text
        assert f'value="{typed}"' in answer.text or not typed
        assert count(SignInCode) == 0 and "Set-Cookie" not in answer.headers

    @pytest.mark.parametrize("token", ["", "nonsense"])
    def test_a_form_that_is_not_ours_is_drawn_again(self, members: Members, token: str) -> None:
        answer = members.person().browser.post("/sign-in", data={"token": token, "address": PHONE})

        assert answer.status_code == 400 and f'value="{PHONE}"' in answer.text and count(SignInCode) == 0

    def test_the_sixth_in_a_row_has_to_wait_and_keeps_what_was_typed(self, members: Members) -> None:
        sam = members.apply()
        for _ in range(5):
            assert sam.ask_for_code().status_code == 303

        answer = sam.ask_for_code()

        assert answer.status_code == 429 and f'value="{PHONE}"' in answer.text
        assert members.person().ask_for_code(STRANGE).status_code == 303
        members.clock.forward(minutes=2)
        assert sam.ask_for_code().status_code == 303

    def test_an_address_nobody_has_must_wait_just_the_same(self, members: Members) -> None:
        answers = [members.person().ask_for_code(STRANGE).status_code for _ in range(6)]

        assert answers == [303] * 5 + [429]

    def test_a_page_asks_once_and_is_drawn_again_with_what_was_typed(self, members: Members) -> None:
        sam = members.person()
        token = hidden(sam.browser.get("/sign-in"), "token")
        sam.browser.post("/sign-in", data={"token": token, "address": STRANGE})

        answer = sam.browser.post("/sign-in", data={"token": token, "address": PHONE})

        assert answer.status_code == 400 and f'value="{PHONE}"' in answer.text and count(SignInCode) == 1
        again = {"token": hidden(answer, "token"), "address": PHONE}
        assert sam.browser.post("/sign-in", data=again).status_code == 303

    def test_a_flood_from_one_page_keeps_nobody_out(self) -> None:
        budgets, now = CodeBudgets(), datetime(2026, 1, 5, 12, tzinfo=UTC)

        taken = [budgets.spend(Channel.EMAIL, f"{n}@example.org", now, page=b"one") for n in range(10_000)]

        assert taken.count(True) == 1
        assert budgets.spend(Channel.EMAIL, EMAIL, now, page=b"another")

    def test_a_flood_from_many_pages_is_over_in_a_moment(self) -> None:
        budgets, now = CodeBudgets(), datetime(2026, 1, 5, 12, tzinfo=UTC)
        for number in range(6000):
            budgets.spend(Channel.EMAIL, f"{number}@example.org", now, page=f"{number}".encode())

        with pytest.raises(PleaseWait):
            budgets.spend(Channel.EMAIL, EMAIL, now, page=b"page")

        assert budgets.spend(Channel.EMAIL, EMAIL, now + timedelta(seconds=1), page=b"next page")

    def test_a_code_that_was_over_before_the_worker_came_is_not_sent(self, members: Members) -> None:
        sam = members.apply()
        sam.ask_for_code()
        members.clock.forward(minutes=11)

        members.work()

        assert count(Delivery) == 0


@pytest.mark.parametrize("changed_settings", [{"CODES_PER_ADDRESS": "3", "CODES_PER_DAY": "4"}])
class TestBudgetsOfTheWorker:
    def ask(self, members: Members, person: Person, times: int) -> None:
        for _ in range(times):
            assert person.ask_for_code().status_code == 303
            members.clock.forward(minutes=3)
            members.work()

    def test_one_address_gets_three_a_day(self, members: Members) -> None:
        sam = members.apply()

        self.ask(members, sam, 5)
        assert count(Delivery) == 3

        members.clock.forward(days=1)
        self.ask(members, sam, 1)
        assert count(Delivery) == 4

    def test_all_together_get_four_a_day(self, members: Members) -> None:
        sam, kit = members.apply(), members.apply("Kit", "07700 900124")

        self.ask(members, sam, 3)
        self.ask(members, kit, 3)

        assert count(Delivery) == 4

    def test_nothing_tells_the_one_who_asked(self, members: Members) -> None:
        sam = members.apply()
        self.ask(members, sam, 3)

        answer = sam.ask_for_code()

        assert answer.location == "/sign-in/code"
        assert "at most 3 codes a day" in sam.browser.get("/sign-in/code").text


class TestUntilAccepted:
    PAGES = ("/alerts/preferences", "/alerts/addresses", "/alerts/addresses/code")

    @pytest.mark.parametrize("path", PAGES)
    def test_every_page_only_says_that_it_is_being_looked_at(self, members: Members, path: str) -> None:
        sam = members.apply()
        sam.sign_in()

        answer = sam.browser.get(path, follow_redirects=True)

        assert answer.request.path == "/alerts/waiting"
        assert "Your request is being looked at" in answer.text

    @pytest.mark.parametrize(
        "path", ["/alerts/preferences", "/alerts/pause", "/alerts/resume", "/alerts/addresses"]
    )
    def test_nothing_can_be_changed(self, members: Members, path: str) -> None:
        sam = members.apply()
        sam.sign_in()

        answer = sam.post(path, {"regions": "london", "level": "full", "wake": "no", "address": EMAIL})

        assert answer.location == "/alerts/waiting"
        assert [row.region for row in sam.member.regions] == ["yorkshire-humber"]
        assert count(SignInCode) == 0

    def test_nothing_but_codes_was_ever_queued(self, members: Members) -> None:
        sam = members.apply(phone=PHONE, email=EMAIL)
        sam.sign_in()
        sam.post("/alerts/sign-out")
        sam.sign_in()

        assert {delivery.kind for delivery in db.session.scalars(sa.select(Delivery))} == {MessageKind.CODE}

    def test_somebody_turned_down_reads_so_and_can_take_it_away(self, members: Members) -> None:
        sam = members.apply()
        MEMBER_MOVES.move(sam.member, MemberState.REJECTED)
        db.session.commit()
        sam.sign_in()

        assert "We could not say yes" in sam.browser.get("/alerts/waiting").text
        assert sam.post("/alerts/end").location == "/sign-in/ended"
        assert count(Address) == 0


def test_a_worker_of_its_own_is_really_another_application(members: Members) -> None:
    """Otherwise these tests would run the web with the worker's keys."""
    assert members.worker is not members.app
    with pytest.raises(RuntimeError):
        _ = runtime().worker_vault
