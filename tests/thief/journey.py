"""The whole path once more, with test canaries in everything that somebody writes, and ways to fail on the way."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from tests.make.processes.stack import Stack, eventually
from tests.make.processes.visitor import Visitor
from tests.thief.canaries import HERE, TOWN, Canaries, Story
from tests.thief.colleague import Colleague
from ugly_mugs.outbox.models import Delivery, DeliveryState


@dataclass
class Walked:
    """What only people know after the journey: never on the machine's disk."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    receipt: str = ""
    other_receipts: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    unused_codes: list[str] = field(default_factory=list)
    passphrases: dict[str, str] = field(default_factory=dict)
    recovery_words: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def phrases(self) -> list[str]:
        """Everything secret that is made of words or was sent to somebody."""
        spaced = [self.receipt, *self.other_receipts, *self.recovery_words, *self.passphrases.values()]
        return [*spaced, *(each.replace(" ", "-") for each in spaced), *self.sent]


class Journey:
    """Everybody of one installation. The steps are in the order in which `walk` takes them."""

    def __init__(self, stack: Stack, engine: sa.Engine, canaries: Canaries) -> None:
        self.stack, self.engine, self.canaries, self.walked = stack, engine, canaries, Walked()
        self.alice, self.bob, self.vera = (Colleague(self.window(), login) for login in canaries.logins)

    @property
    def heads(self) -> Path:
        return self.stack.folder / "audit-heads.jsonl"

    def window(self) -> Visitor:
        return Visitor(self.stack.web)

    def walk(self) -> Walked:
        """From a report to text messages, a STOP, corrections and a withdrawal; every process runs meanwhile."""
        canaries, walked = self.canaries, self.walked
        walked.receipt = self.reports(canaries.first)
        self.the_desk_opens()
        self.members_join()
        self.everything_fails()
        self.a_warning_leaves()
        self.corrections_follow()
        self.others_report()
        self.somebody_asks_for_a_code()
        eventually(self.nothing_is_under_way)
        # The worker writes the audit log's head outside the database when it has chained for the first time.
        eventually(self.heads.exists)
        return walked

    # The reporter

    def reports(self, story: Story) -> str:
        """Files it, and gives the receipt."""
        canaries, window = self.canaries, self.window().goes_to("/report")
        window.fills("What happened?", story.account)
        window.ticks(story.kind).ticks(story.going_on, under="Is it still going on?")
        window.fills("Names they gave", canaries.offender_name)
        window.fills("Phone numbers they used", canaries.offender_phone)
        window.fills("E-mail addresses they used", canaries.offender_email)
        window.fills("Usernames they used", canaries.offender_handle)
        window.fills("Number plate of their car", canaries.offender_plate)
        window.fills("Their car: make, colour, anything special", canaries.vehicle)
        if story is canaries.first:
            window.fills("Town, or first half of the postcode", TOWN)
        if story.region:
            window.fills("Region, if you know it", story.region)
        window.fills("What kind of place?", story.premises)
        window.ticks("Yes", under="May we warn other sex workers about this person?").ticks(
            "Only after I have seen it"
        )
        window.ticks("Yes", under="May we contact you to offer support?").fills("How?", "E-mail me")
        window.fills("Phone number or e-mail address", canaries.reporter_email)
        window.fills("When is it safe?", canaries.safe_hours)
        window.fills("Working names you use", canaries.reporter_name)
        window.fills("Phone numbers you use", canaries.reporter_phone)
        window.fills("Anything else to keep out", canaries.reporter_street)
        window.fills("What kind of work do you do?", story.sector)
        return window.presses("Send").sees("Thank you. We have it").receipt

    def comes_back(self, receipt: str) -> Visitor:
        window = self.window().goes_to("/receipt").fills("Your seven words, or the 28 digits", receipt)
        window.presses("Open my report")
        assert window.path == "/receipt/report", window.page.text
        return window

    # The desk

    def the_desk_opens(self) -> None:
        """The first moderator and the member admin are admitted with the words on paper, Bob by Alice."""
        stack, walked = self.stack, self.walked
        walked.recovery_words.append(stack.recovery_words)
        self.alice.enrols(stack, "moderator")
        stack.admit(self.alice.login)
        walked.recovery_words.append(stack.recovery_words)
        self.alice.signs_in()
        self.bob.enrols(stack, "moderator", "approver")
        self.alice.admits(self.bob)
        self.bob.signs_in()
        self.vera.enrols(stack, "member_admin")
        stack.admit(self.vera.login)
        self.vera.signs_in()
        walked.recovery_words.append(stack.recovery_words)
        walked.passphrases = {each.login: each.passphrase for each in (self.alice, self.bob, self.vera)}

    def drafts(self, story: Story, *, hiding: str) -> str:
        """Alice takes a report, hides words and writes an alert; gives its address."""
        desk, canaries = self.alice.window, self.canaries
        desk.goes_to("/desk").follows(story.kind).sees(story.account)
        desk.presses("Take it").follows("Hide words").fills("More words to hide", hiding)
        desk.presses("Hide these words too").presses("Read what is left").presses("Settle this text")
        desk.sees("The text is settled.").presses("Write an alert").ticks("Danger", under="How serious?")
        desk.fills("The alleged offender looks like this", canaries.looks).fills(
            "What people can do", canaries.advice
        )
        desk.ticks(f"Phone: {canaries.offender_phone}")
        desk.presses("Write both texts again from the answers").sees("Nothing was found.")
        return desk.path

    def submits(self, alert: str) -> None:
        self.alice.window.presses("Save and put before somebody else").goes_to(alert)
        self.alice.window.sees("You wrote or edited this, so somebody else has to decide.")

    def approves(self, alert: str) -> None:
        self.bob.window.goes_to(alert).presses("Approve, let it leave").sees("Approved by")

    def a_warning_leaves(self) -> None:
        """Approved, seen by its reporter, sent; and words go both ways between the reporter and the desk."""
        canaries, stack = self.canaries, self.stack
        alert = self.drafts(canaries.first, hiding=canaries.hidden)
        self.alice.window.goes_to("/desk").follows(canaries.first.kind)
        self.alice.window.fills("Write to the reporter", canaries.reply).presses("Send message")
        self.alice.window.goes_to(alert)
        self.submits(alert)
        self.approves(alert)
        back = self.comes_back(self.walked.receipt).sees(canaries.reply)
        back.fills("Write to us", canaries.message).presses("Send message")
        back.goes_to("/receipt/report").presses("Let it go")
        self.alert, self.reference = alert, self.bob.window.heading.rpartition(" ")[2]
        self.walked.sent += eventually(lambda: self.notices_at(canaries.member_phone))
        self.walked.sent += eventually(lambda: self.notices_at(canaries.stopper_phone))
        eventually(lambda: self.mailed(canaries.member_email))
        self.member.goes_to("/alerts").follows(self.reference).sees(canaries.looks)
        assert stack.sandbox.reply(canaries.stopper_phone, canaries.stopper_says) in (200, 204)
        assert stack.sandbox.reply(canaries.stopper_phone, "STOP") in (200, 204)
        self.settles()

    def corrections_follow(self) -> None:
        """A correction leaves; an update after it is put before Bob and stays there."""
        canaries = self.canaries
        correction = self.writes_a_version("Correction", self.alert, canaries.looks, canaries.corrected)
        self.submits(correction)
        self.approves(correction)
        self.comes_back(self.walked.receipt).presses("Let it go")
        self.walked.sent += eventually(lambda: self.notices_at(canaries.member_phone)[1:])
        eventually(lambda: self.mailed(canaries.member_email)[1:])
        self.settles()
        update = self.writes_a_version("Update", correction, canaries.advice, canaries.learned)
        self.submits(update)

    def writes_a_version(self, kind: str, former: str, words: str, instead: str) -> str:
        desk = self.alice.window.goes_to(former).ticks(kind)
        desk.presses("Write a new version")
        for label in ("The full text message", "The words on the members' page and in full e-mails"):
            desk.fills(label, desk.written(label).replace(words, instead))
        desk.presses("Save and show").sees("Nothing was found.", instead)
        return desk.path

    def others_report(self) -> None:
        """One report is withdrawn; of another, with everything else chosen, the draft is sent back."""
        canaries, walked = self.canaries, self.walked
        withdrawn = self.reports(canaries.withdrawn)
        gone = self.comes_back(withdrawn).follows("Withdraw my report").presses("Yes, withdraw my report")
        gone.sees("Your report is withdrawn")
        waiting = self.reports(canaries.waiting)
        more = (
            self.comes_back(waiting)
            .follows("Add something")
            .fills("What do you want to add?", canaries.added)
        )
        more.presses("Add it").sees(canaries.added)
        walked.other_receipts += [withdrawn, waiting]
        alert = self.drafts(canaries.waiting, hiding=canaries.waiting.account.split()[0])
        self.submits(alert)
        desk = self.bob.window.goes_to(alert).fills("Why do you send it back?", canaries.returned)
        desk.presses("Send it back").sees(canaries.returned)

    # Members

    def members_join(self) -> None:
        """One has a phone and an inbox and reads everything; one wants little said to a phone, and will say STOP."""
        canaries, walked = self.canaries, self.walked
        self.member = self.joins(canaries.member_name, canaries.member_phone, canaries.member_email)
        self.signs_in(self.member, canaries.member_phone)
        self.accepts(canaries.member_name)
        self.member.goes_to("/alerts/addresses").fills(
            "New mobile number or e-mail address", canaries.member_email
        )
        self.member.presses("Send a code to it")
        walked.codes += eventually(lambda: self.codes_at(canaries.member_email))
        self.member.fills("The six digits we sent", walked.codes[-1]).presses("It is mine").sees(
            "This is yours now."
        )
        stopper = self.joins(canaries.stopper_name, canaries.stopper_phone)
        self.signs_in(stopper, canaries.stopper_phone)
        self.accepts(canaries.stopper_name)

    def joins(self, name: str, phone: str, email: str = "") -> Visitor:
        window = self.window().goes_to("/join").fills("A name for us to know you by", name)
        window.ticks("I do sex work myself", HERE, "Street")
        window.fills("Mobile number", phone).ticks("Yes, send warnings to my mobile by text.")
        if email:
            window.fills("E-mail address", email).ticks("Yes, send warnings to my e-mail address.")
        level = "The whole warning" if email else "As little as possible: only that there is something new"
        window.ticks(level, "I am 18 or older.").ticks("Yes", under="May we wake you for danger?")
        return window.presses("Ask to join").sees("Thank you. We have it.")

    def accepts(self, name: str) -> None:
        self.vera.window.goes_to("/admin/members").sees(name).presses(f"Accept {name}").sees("Accepted.")

    def asks_for_a_code(self, window: Visitor, address: str) -> Visitor:
        window.goes_to("/sign-in").fills("Your mobile number or e-mail address", address)
        return window.presses("Send me a code")

    def signs_in(self, window: Visitor, phone: str) -> None:
        self.asks_for_a_code(window, phone)
        self.walked.codes += eventually(lambda: self.codes_at(phone))
        window.fills("The six digits we sent", self.walked.codes[-1]).presses("Sign in")

    def somebody_asks_for_a_code(self) -> None:
        """It lies in the database unused when the thief comes."""
        phone = self.canaries.member_phone
        self.asks_for_a_code(self.window(), phone)
        self.walked.unused_codes += eventually(lambda: self.codes_at(phone)[1:])

    def codes_at(self, address: str) -> list[str]:
        sandbox = self.stack.sandbox
        said = (
            [each["text"] for each in sandbox.mails(address)] if "@" in address else sandbox.bodies(address)
        )
        return [
            found[1].replace(" ", "") for text in said if (found := re.search(r"code is (\d{3} \d{3})", text))
        ]

    def notices_at(self, phone: str) -> list[str]:
        return [each for each in self.stack.sandbox.bodies(phone) if self.reference in each]

    def mailed(self, email: str) -> list[str]:
        return [each["text"] for each in self.stack.sandbox.mails(email) if self.reference in each["text"]]

    # Strangers, and what goes wrong

    def everything_fails(self) -> None:
        """Wrong words, wrong codes, wrong addresses, a broken form: what is logged of them must not name anything."""
        canaries, wrong = self.canaries, self.window()
        wrong.goes_to("/receipt").fills(
            "Your seven words, or the 28 digits", f"{canaries.reporter_name} and others"
        )
        wrong.presses("Open my report")
        self.asks_for_a_code(wrong, canaries.stranger_phone)
        wrong.fills("The six digits we sent", "123456").presses("Sign in")
        wrong.goes_to("/desk/sign-in").fills("Your name here", self.alice.login)
        wrong.fills("Your passphrase", canaries.offender_name).fills(
            "Six digits from your authenticator", "000000"
        )
        wrong.presses("Sign in")
        wrong.goes_to("/report").fills("Names they gave", canaries.offender_name).presses("Send")
        wrong.goes_to(f"/{uuid.uuid4()}")

    def a_power_cut(self) -> None:
        """The worker dies while a code is on its way; the web goes on, and what it hands over has to wait."""
        canaries, stack = self.canaries, self.stack
        stack.sandbox.behave(latency_ms=30_000, callbacks="off")
        self.asks_for_a_code(self.window(), canaries.member_phone)
        eventually(lambda: self.count("deliveries", "state = 'attempting'"))
        stack.kill_worker()
        self.joins(canaries.late_name, canaries.late_phone)
        self.asks_for_a_code(self.window(), canaries.late_phone)

    def power_is_back(self) -> None:
        """When the lease of the dead worker has run out, which this does not wait for."""
        with self.engine.begin() as connection:
            under_way = sa.update(Delivery).where(Delivery.state == DeliveryState.ATTEMPTING)
            connection.execute(under_way.values(lease_ends_at=datetime.now(UTC)))
        self.stack.sandbox.behave(latency_ms=0, callbacks="normal")
        self.stack.start_worker()
        eventually(self.nothing_is_under_way)

    # Waiting

    def settles(self) -> None:
        """Until what was sent has arrived and every answer of the provider is taken in."""
        eventually(self.nothing_is_under_way)

    def nothing_is_under_way(self) -> bool:
        """No request, no text and no alert is half way; the clock of the worker has nothing left to do."""
        waits = (
            ("requests", "state = 'waiting'"),
            ("deliveries", "state IN ('queued', 'attempting', 'unknown', 'accepted')"),
            ("deliveries", "state = 'sent' AND channel = 'sms'"),
            ("alerts", "state IN ('publishing', 'scheduled')"),
        )
        return not self.stack.sandbox.waiting_callbacks and not any(self.count(*each) for each in waits)

    def count(self, table: str, condition: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {condition}")) or 0)
