"""The people of a journey, and what each of them does in a browser, step by step."""

import base64
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.journeys.person import Person
from tests.make.processes.stack import eventually
from ugly_mugs.vault import totp


@dataclass
class Reporter(Person):
    """Files a report, and comes back with the receipt."""

    receipt: str = ""
    form: str = ""
    """What marks the form that was sent: the same form files once."""

    def reports(
        self,
        account: str,
        *,
        kinds: Sequence[str],
        offender_phone: str,
        offender_name: str,
        town: str,
        premises: str,
        working_name: str,
        when: str,
    ) -> None:
        self.goes_to("/report")
        self.fills("What happened?", account)
        self.ticks("What kind of thing was it?", *kinds)
        self.fills("Names they gave", offender_name)
        self.fills("Phone numbers they used", offender_phone)
        self.fills("Town, or first half of the postcode", town)
        self.selects("What kind of place?", premises)
        self.ticks("May we warn other sex workers about this person?", "Yes")
        self.ticks("If yes, when?", when)
        self.fills("Working names you use", working_name)
        self.form = self.page.locator("input[name=token]").input_value()
        self.presses("Send")
        self.sees("Thank you. We have it")
        self.receipt = self.page.locator(".receipt p").first.inner_text().strip()

    def sends_the_same_form_again(self, account: str) -> None:
        """As from a window that was still open, with something else written in it."""
        self.goes_to("/report")
        self.page.locator("input[name=token]").evaluate("(field, form) => { field.value = form }", self.form)
        self.fills("What happened?", account)
        self.presses("Send")

    def comes_back(self) -> None:
        self.goes_to("/receipt")
        self.fills("Your seven words, or the 28 digits", self.receipt.upper().replace(" ", "-"))
        self.presses("Open my report")
        self.is_at("/receipt/report")

    def lets_it_go(self) -> None:
        self.sees("This warning is ready. It waits for you")
        self.presses("Let it go")
        self.sees_no_button("Let it go")

    def holds_it(self) -> None:
        self.presses("Hold it")
        self.sees_no_button("Hold it")

    def withdraws(self) -> None:
        self.follows("Withdraw my report")
        self.presses("Yes, withdraw my report")
        self.sees("Your report is withdrawn")


@dataclass
class Authenticator:
    """What an authenticator app holds; it shows each code long enough to be used once."""

    secret: bytes
    used: int = 0

    @classmethod
    def reading(cls, shown: str) -> "Authenticator":
        letters = shown.replace(" ", "").upper()
        return cls(base64.b32decode(letters + "=" * (-len(letters) % 8)))

    def code(self) -> str:
        """The present code, or the next one when that was used; each third in half a minute has to be waited for.

        Never the former one: it may be too old by the time the page has been sent.
        """
        step = max(self.used + 1, self._step())
        while step > self._step() + 1:
            time.sleep(0.5)
        self.used = step
        moment = datetime.fromtimestamp(step * totp.STEP_SECONDS, UTC) + timedelta(seconds=1)
        return totp.code_now(self.secret, moment)

    @staticmethod
    def _step() -> int:
        return int(time.time()) // totp.STEP_SECONDS


@dataclass
class Colleague(Person):
    """Somebody who works at the desk."""

    login: str = ""
    passphrase: str = field(default="", repr=False)
    authenticator: Authenticator = field(default_factory=lambda: Authenticator(b""), repr=False)
    six_words: str = ""

    def enrols(self, *roles: str) -> None:
        """Types the code of an invitation, writes the passphrase down and sets up an authenticator."""
        self.begins_to_enrol(*roles)
        self.finishes_enrolling()

    def begins_to_enrol(self, *roles: str) -> None:
        code = self.stack.invite(self.login, *roles)
        self.goes_to("/desk/join")
        self.fills("Your invitation code", code)
        self.presses("Go on")
        self.passphrase = self.page.locator(".receipt").inner_text().strip()
        self.authenticator = Authenticator.reading(self.page.locator("main code").inner_text())

    def finishes_enrolling(self) -> None:
        self.fills("Six digits from your authenticator", self.authenticator.code())
        self.presses("I have written the words down. Go on")
        self.sees("Read these six words to them")
        self.six_words = self.page.locator(".receipt").inner_text().strip()

    def admits(self, newcomer: "Colleague") -> None:
        """Types the six words a newcomer has read out."""
        self.goes_to("/desk/people")
        entry = self.page.locator("section", has_text=newcomer.login)
        entry.get_by_label("The six words you heard").fill(newcomer.six_words)
        self.presses(f"Admit {newcomer.login}", within=entry)
        self.sees("Done. They can sign in now.")

    def signs_in(self) -> None:
        self.goes_to("/desk/sign-in")
        self.fills("Your name here", self.login)
        self.fills("Your passphrase", self.passphrase)
        self.fills("Six digits from your authenticator", self.authenticator.code())
        self.presses("Sign in")


@dataclass
class Moderator(Colleague):
    """Opens reports, hides words, writes alerts, and decides about those of others."""

    alert: str = ""
    """The address of the alert this person is at."""

    def opens(self, kind: str) -> None:
        """The report in the queue by what kind of thing was reported."""
        self.goes_to("/desk")
        self.follows(kind)
        self.sees("What was told")

    def hides(self, *words: str) -> None:
        """Takes the report, hides these words besides those that are suggested, and settles what is left."""
        self.presses("Take it")
        self.follows("Hide words")
        self.fills("More words to hide", "\n".join(words))
        self.presses("Hide these words too")
        self.presses("Read what is left")
        self.presses("Settle this text")
        self.sees("The text is settled.")

    def drafts(self, *, looks: str, identifier: str, advice: str) -> None:
        """A danger alert in the proposed words."""
        self.presses("Write an alert")
        self.page.wait_for_url("**/desk/alerts/*")
        self.alert = urlsplit(self.page.url).path
        self.ticks("How serious?", "Danger")
        self.fills("The alleged offender looks like this", looks)
        self.ticks("Which identifiers may members read?", identifier)
        self.fills("What people can do", advice)
        self.presses("Write both texts again from the answers")

    @property
    def reference(self) -> str:
        """The four signs by which everybody knows the alert."""
        return self.page.locator("h1").inner_text().rpartition(" ")[2]

    @property
    def sms(self) -> str:
        """The full text as it stands in the draft."""
        return self.page.get_by_label(FULL_SMS).input_value()

    def words_the_sms(self, text: str) -> None:
        self.fills(FULL_SMS, text)
        self.presses("Save and show")

    def reach(self) -> dict[str, int]:
        """How many members the alert would reach now, by channel."""
        rows = self.page.locator("table", has_text="Parts in all").locator("tbody tr")
        told = [(row.locator("th").inner_text(), row.locator("td").first.inner_text()) for row in rows.all()]
        return {name: int(members) for name, members in told}

    def submits(self) -> None:
        self.presses("Save and put before somebody else")
        self.page.goto(self.alert)

    def approves(self, alert: str) -> None:
        self.goes_to(alert)
        self.presses("Approve, let it leave")
        self.sees("Approved by")

    def corrects(self, alert: str) -> None:
        """Begins a correction of what has left."""
        self.goes_to(alert)
        self.ticks("What kind of new version?", "Correction")
        self.presses("Write a new version")
        self.sees("being written", "correction")
        self.alert = urlsplit(self.page.url).path

    def counts(self, which: str) -> tuple[int, int]:
        """Texts and e-mails of the alert on the page, looked at anew."""
        self.page.reload()
        row = self.page.locator("tr", has=self.page.locator("th", has_text=re.compile(rf"^{which}$")))
        expect(row.locator("td")).to_have_count(2)
        texts, mails = row.locator("td").all_inner_texts()
        return int(texts), int(mails)


FULL_SMS = "The full text message"


@dataclass
class MemberAdmin(Colleague):
    """Decides who gets warnings."""

    def accepts(self, working_name: str) -> None:
        self.goes_to("/admin/members")
        self.presses(f"Accept {working_name}")
        self.sees("Accepted.")


SMS_YES = "Yes, send warnings to my mobile by text."
EMAIL_YES = "Yes, send warnings to my e-mail address."
FULL = "The whole warning"
NEUTRAL = "As little as possible: only that there is something new"


@dataclass
class Member(Person):
    """Joins, proves an address with a code, and gets warnings."""

    working_name: str = ""
    phone: str = ""
    email: str = ""

    def joins(
        self,
        *,
        region: str,
        level: str = NEUTRAL,
        wake: str = "Yes",
        texts: bool = True,
        mails: bool = True,
    ) -> None:
        self.goes_to("/join")
        self.fills("A name for us to know you by", self.working_name)
        self.ticks("Who are you?", "I do sex work myself")
        if self.phone:
            self.fills("Mobile number", self.phone)
        if self.phone and texts:
            self.page.get_by_label(SMS_YES).check()
        if self.email:
            self.fills("E-mail address", self.email)
        if self.email and mails:
            self.page.get_by_label(EMAIL_YES).check()
        self.ticks("Where do you work?", region)
        self.ticks("How much may a message say?", level)
        self.ticks("May we wake you for danger?", wake)
        self.page.get_by_label("I am 18 or older.").check()
        self.presses("Ask to join")
        self.sees("Thank you. We have it.")

    def signs_in(self, address: str) -> None:
        """Types an address, reads the code where it arrives, and types that."""
        had = len(self._codes(address))
        self.goes_to("/sign-in")
        self.fills("Your mobile number or e-mail address", address)
        self.presses("Send me a code")
        code = eventually(lambda: self._codes(address)[had:])[0]
        self.fills("The six digits we sent", code)
        self.presses("Sign in")

    def signs_in_anew(self, address: str) -> None:
        self.goes_to("/alerts/preferences")
        self.presses("Sign out")
        self.signs_in(address)

    def moves_to(self, region: str, *, away_from: str) -> None:
        self.goes_to("/alerts/preferences")
        where = self.page.get_by_role("group", name="Where do you work?")
        where.get_by_label(away_from, exact=True).uncheck()
        where.get_by_label(region, exact=True).check()
        self.presses("Save")
        self.sees("Saved.")

    def proves(self, address: str) -> None:
        """A second address, from inside."""
        had = len(self._codes(address))
        self.goes_to("/alerts/addresses")
        self.fills("New mobile number or e-mail address", address)
        self.presses("Send a code to it")
        self.fills("The six digits we sent", eventually(lambda: self._codes(address)[had:])[0])
        self.presses("It is mine")
        self.sees("This is yours now.")

    def _codes(self, address: str) -> list[str]:
        sandbox = self.stack.sandbox
        said = (
            [mail["text"] for mail in sandbox.mails(address)] if "@" in address else sandbox.bodies(address)
        )
        return [found[1] for text in said if (found := re.search(r"Your code is (\d{3} \d{3})\.", text))]
