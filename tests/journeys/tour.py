"""A walk past every page the service has, as the people who use it come to see it; `look` stops at each."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

from tests.journeys.browser import Windows
from tests.journeys.people import FULL, Member, MemberAdmin, Moderator, Reporter
from tests.journeys.person import Person
from tests.make.processes.stack import Stack, eventually

Look = Callable[[Page, str], None]

HERE = "Yorkshire and The Humber"
PHONE, SECOND_PHONE, MAIL = "+447700900201", "+447700900202", "toni@example.org"
WORKING_NAME, OFFENDER = "Marigold", "07700 900888"
KIND = "Would not let somebody leave"
ACCOUNT = (
    f"I am {WORKING_NAME}. I met him at the Lily flat in Leeds. He locked the door and would not let me leave. "
    "He had a grey van."
)
SECRETS = (WORKING_NAME, "Lily flat", "grey van", OFFENDER, OFFENDER.replace(" ", ""), PHONE, MAIL)


@dataclass
class Tour:
    """The pages in the order in which they come about; each method leaves what the next needs."""

    stack: Stack
    windows: Windows
    look: Look
    width: int = 320
    scripts: bool = True

    def walk(self) -> None:
        self.public_pages()
        self.reporting()
        self.hiring()
        self.joining()
        self.moderating()
        self.publishing()
        self.coming_back()
        self.membership()
        self.running_the_place()
        self.withdrawing()

    def _window(self) -> BrowserContext:
        return self.windows.open(scripts=self.scripts, width=self.width)

    def sees(self, person: Person, name: str) -> None:
        self.look(person.page, name)

    def public_pages(self) -> None:
        visitor = Person(self.stack, self._window())
        for path in ("/", "/help", "/confidentiality", "/report", "/receipt", "/join", "/sign-in"):
            visitor.goes_to(path)
            self.sees(visitor, path)
        visitor.goes_to("/nothing-here")
        self.sees(visitor, "a page that is not there")

    def reporting(self) -> None:
        self.reporter = reporter = Reporter(self.stack, self._window())
        reporter.goes_to("/report")
        reporter.presses("Add another person")
        self.sees(reporter, "the form with a second person")
        reporter.presses("Send")
        self.sees(reporter, "the form with what is wrong")
        reporter.reports(
            ACCOUNT,
            kinds=[KIND],
            offender_phone=OFFENDER,
            offender_name="Example",
            town="Leeds",
            premises="Hotel or rented room",
            working_name=WORKING_NAME,
            when="Only after I have seen it",
        )
        self.sees(reporter, "the receipt")
        reporter.sends_the_same_form_again(f"{ACCOUNT} I forgot that he was tall.")
        reporter.sees("This was sent already")
        self.sees(reporter, "the same form sent again")
        reporter.goes_to("/receipt")
        reporter.fills("Your seven words", "seven words that are not in the list")
        reporter.presses("Open my report")
        self.sees(reporter, "a receipt mistyped")
        reporter.comes_back()
        self.sees(reporter, "the report")
        for path in ("/receipt/add", "/receipt/choices", "/receipt/withdraw"):
            reporter.goes_to(path)
            self.sees(reporter, path)
        reporter.goes_to("/receipt/report")
        reporter.presses("Send message")
        self.sees(reporter, "an empty message")
        reporter.fills("Write to us", "Thank you for reading this.")
        reporter.presses("Send message")

    def hiring(self) -> None:
        nadia = self.nadia = Moderator(self.stack, self._window(), "Nadia")
        nadia.goes_to("/desk/sign-in")
        self.sees(nadia, "/desk/sign-in")
        nadia.fills("Your name here", "Nadia")
        nadia.presses("Sign in")
        self.sees(nadia, "signing in with too little")
        nadia.goes_to("/desk/join")
        self.sees(nadia, "/desk/join")
        nadia.fills("Your invitation code", "AAAA-AAAA-AAAA-AAAA")
        nadia.presses("Go on")
        self.sees(nadia, "an invitation that does not work")
        nadia.enrols("moderator")
        self.sees(nadia, "the six words")
        self.stack.admit("Nadia")
        nadia.signs_in()
        petra = self.petra = MemberAdmin(self.stack, self._window(), "Petra")
        petra.enrols("member_admin", "administrator")
        self.stack.admit("Petra")
        petra.signs_in()
        omar = self.omar = Moderator(self.stack, self._window(), "Omar")
        omar.begins_to_enrol("moderator", "approver")
        self.sees(omar, "passphrase and authenticator")
        omar.finishes_enrolling()
        nadia.goes_to("/desk/people")
        self.sees(nadia, "somebody waits to be admitted")
        nadia.fills("The six words you heard", "these are not the words")
        nadia.presses("Admit Omar")
        self.sees(nadia, "words that are not theirs")
        nadia.admits(omar)
        self.sees(nadia, "/desk/people")
        omar.signs_in()

    def joining(self) -> None:
        toni = self.toni = Member(self.stack, self._window(), "Toni", PHONE, MAIL)
        toni.goes_to("/join")
        toni.presses("Ask to join")
        self.sees(toni, "joining with too little")
        toni.joins(region=HERE, level=FULL)
        self.sees(toni, "/join/sent")
        toni.goes_to("/sign-in")
        toni.presses("Send me a code")
        self.sees(toni, "signing in without an address")
        toni.fills("Your mobile number or e-mail address", PHONE)
        toni.presses("Send me a code")
        self.sees(toni, "/sign-in/code")
        toni.fills("The six digits we sent", "nonsense")
        toni.presses("Sign in")
        self.sees(toni, "a wrong code")
        toni.signs_in(PHONE)
        self.sees(toni, "/alerts/waiting")
        self.petra.goes_to("/admin/members")
        self.sees(self.petra, "somebody wants to join")
        self.petra.accepts("Toni")
        self.sees(self.petra, "nobody waits")
        toni.proves(MAIL)

    def moderating(self) -> None:
        nadia = self.nadia
        nadia.goes_to("/desk")
        self.sees(nadia, "/desk")
        nadia.goes_to("/desk/reports/new")
        self.sees(nadia, "/desk/reports/new")
        nadia.presses("File it")
        self.sees(nadia, "a call with too little")
        nadia.fills("What happened?", "Somebody called and said that a man would not pay.")
        nadia.presses("File it")
        self.sees(nadia, "a call written down")
        nadia.opens(KIND)
        self.sees(nadia, "a report nobody has taken")
        self.report = urlsplit(nadia.page.url).path
        nadia.presses("Send message")
        self.sees(nadia, "an empty reply")
        nadia.presses("Take it")
        self.sees(nadia, "a report that is taken")
        self.omar.goes_to(self.report)
        self.sees(self.omar, "a report a colleague looks after")
        nadia.follows("Hide words")
        self.sees(nadia, "words to hide")
        nadia.fills("More words to hide", "these words are not there")
        nadia.presses("Hide these words too")
        self.sees(nadia, "words to hide that are not there")
        nadia.fills("More words to hide", "at the Lily flat")
        nadia.presses("Hide these words too")
        nadia.presses("Read what is left")
        self.sees(nadia, "what is left")
        nadia.fills("What alerts may be made from", f"{WORKING_NAME} said this.")
        nadia.presses("Settle this text")
        self.sees(nadia, "a text that cannot be settled")
        nadia.goes_to(f"{self.report}/redact/text")
        nadia.presses("Settle this text")
        self.sees(nadia, "a report whose text is settled")

    def publishing(self) -> None:
        nadia, omar = self.nadia, self.omar
        nadia.drafts(looks="tall man", identifier=f"Phone: {OFFENDER}", advice="Please take care.")
        self.sees(nadia, "a draft")
        self.reference, good = nadia.reference, nadia.sms
        nadia.words_the_sms(f"{good} {WORKING_NAME}")
        self.sees(nadia, "a draft that says too much")
        nadia.words_the_sms("")
        self.sees(nadia, "a draft with too little")
        nadia.words_the_sms(good)
        nadia.submits()
        self.sees(nadia, "submitted, as its author sees it")
        omar.goes_to(nadia.alert)
        self.sees(omar, "submitted, as somebody who may approve sees it")
        omar.presses("Send it back")
        self.sees(omar, "sent back without a reason")
        omar.fills("Why do you send it back?", "Please read it once more.")
        omar.presses("Send it back")
        nadia.goes_to(nadia.alert)
        self.sees(nadia, "a draft that came back")
        nadia.submits()
        omar.approves(nadia.alert)
        nadia.goes_to("/desk/alerts")
        self.sees(nadia, "/desk/alerts")

    def coming_back(self) -> None:
        reporter, nadia = self.reporter, self.nadia
        nadia.goes_to(nadia.alert)
        self.sees(nadia, "an alert that waits for its reporter")
        nadia.goes_to(self.report)
        nadia.fills("Write to the reporter", "Thank you. Please look at the warning.")
        nadia.presses("Send message")
        reporter.comes_back()
        self.sees(reporter, "a warning that waits for its reporter")
        reporter.lets_it_go()
        self.sees(reporter, "a warning that was let go")
        nadia.goes_to(nadia.alert)
        self.sees(nadia, "an alert on its way")
        eventually(lambda: nadia.counts("arrived")[0] == 1)
        eventually(lambda: nadia.page.reload() and "Keep counting" not in nadia.reads)
        self.sees(nadia, "an alert that was sent")
        nadia.presses("Write a new version")
        self.sees(nadia, "a new version of no kind")
        nadia.corrects(nadia.alert)
        self.sees(nadia, "a correction being written")
        nadia.presses("Throw this draft away")
        self.sees(nadia, "a draft thrown away")

    def membership(self) -> None:
        toni = self.toni
        for path in (
            "/alerts",
            f"/alerts/{self.reference}",
            "/alerts/preferences",
            "/alerts/addresses",
            "/alerts/end",
        ):
            toni.goes_to(path)
            self.sees(toni, path)
        toni.goes_to("/alerts/preferences")
        toni.page.get_by_role("group", name="Where do you work?").get_by_label(HERE, exact=True).uncheck()
        toni.presses("Save")
        self.sees(toni, "preferences with too little")
        toni.goes_to("/alerts/addresses")
        toni.presses("Send a code to it")
        self.sees(toni, "no new address")
        toni.fills("New mobile number or e-mail address", SECOND_PHONE)
        toni.presses("Send a code to it")
        self.sees(toni, "/alerts/addresses/code")
        link = self.stack.sandbox.mails(MAIL)[-1]["unsubscribe_link"]
        reader = Person(self.stack, self._window())
        reader.goes_to(link)
        self.sees(reader, "the way out of e-mails")
        reader.presses("Yes, stop them")
        self.sees(reader, "e-mails stopped")
        self.petra.goes_to("/admin/members?show=members")
        self.sees(self.petra, "the members")
        self.petra.follows("Remove")
        self.sees(self.petra, "removing a member")
        toni.goes_to("/alerts/preferences")
        toni.presses("Pause all warnings")
        self.sees(toni, "preferences, paused")
        toni.goes_to("/alerts/end")
        toni.presses("End it")
        self.sees(toni, "/sign-in/ended")

    def running_the_place(self) -> None:
        petra = self.petra
        petra.goes_to("/admin")
        self.sees(petra, "/admin")
        petra.presses("Invite")
        self.sees(petra, "inviting nobody")
        petra.fills("A name for signing in", "Quinn")
        petra.ticks("What will they do?", "Auditor")
        petra.presses("Invite")
        self.sees(petra, "an invitation to hand over")
        petra.goes_to("/desk/reports/new")
        self.sees(petra, "a page that is not for her")
        petra.goes_to("/desk/account")
        self.sees(petra, "/desk/account")
        petra.presses("Draw new words")
        self.sees(petra, "a passphrase not typed")
        petra.fills("Your passphrase", petra.passphrase)
        petra.presses("Draw new words")
        self.sees(petra, "a new passphrase")
        for tab in ("settled", "declined"):
            self.nadia.goes_to(f"/desk?tab={tab}")
            self.sees(self.nadia, f"the list of {tab} reports")

    def withdrawing(self) -> None:
        self.reporter.comes_back()
        self.reporter.withdraws()
        self.sees(self.reporter, "/receipt/gone")
        self.omar.goes_to(self.nadia.alert)
        self.sees(self.omar, "an alert whose report was withdrawn")
