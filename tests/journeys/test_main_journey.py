"""The main job, end to end, in a browser without scripts: from a report to a text message, on each database."""

from tests.journeys.browser import Windows
from tests.journeys.people import FULL
from tests.journeys.scheme import ELSEWHERE, HERE, Scheme
from tests.make.processes.stack import Stack, eventually

ROBIN, ROBIN_MAIL = "+447700900101", "robin@example.org"
SASHA, KIM, LEE, MAX = "+447700900102", "+447700900103", "+447700900104", "+447700900105"
OFFENDER = "07700 900666"

KEPT, ROBBED = "Would not let somebody leave", "Robbery or theft"
ACCOUNT = (
    "I am Saffron. I met him at the Rose flat in Leeds. He locked the door and would not let me leave. "
    "He had a grey van."
)
OTHER_ACCOUNT = "I am Juniper. He took the money out of my bag and ran."


def test_from_a_report_to_a_text_message(stack: Stack, windows: Windows) -> None:
    scheme = Scheme(stack, windows)
    sandbox = stack.sandbox

    # Somebody reports, and asks to see the warning before it leaves.
    reporter = scheme.reporter()
    reporter.reports(
        ACCOUNT,
        kinds=[KEPT],
        offender_phone=OFFENDER,
        offender_name="Example",
        town="Leeds",
        premises="Hotel or rented room",
        working_name="Saffron",
        when="Only after I have seen it",
    )
    assert len(reporter.receipt.split()) == 7

    # The desk opens: the first two are admitted with the words on paper, Bob by Alice after she heard his six words.
    alice = scheme.first_moderator("Alice")
    vera = scheme.member_admin("Vera")
    bob = scheme.approver("Bob", admitted_by=alice)

    # Members join. Robin proves a phone and an inbox; Sasha wants as little as possible said; the others hear nothing:
    # Kim works elsewhere, Lee did not say yes to texts, Max was not accepted.
    robin = scheme.person("Robin", ROBIN, ROBIN_MAIL)
    robin.joins(region=HERE, level=FULL)
    robin.signs_in(ROBIN)
    robin.sees("Your request is being looked at")
    vera.accepts("Robin")
    robin.proves(ROBIN_MAIL)
    sasha = scheme.person("Sasha", SASHA)
    sasha.joins(region=HERE)
    sasha.signs_in(SASHA)
    vera.accepts("Sasha")
    kim = scheme.member("Kim", KIM, vetted_by=vera, region=ELSEWHERE)
    scheme.member("Lee", LEE, vetted_by=vera, region=HERE, texts=False)
    stranger = scheme.person("Max", MAX)
    stranger.joins(region=HERE)
    stranger.signs_in(MAX)
    stranger.is_at("/alerts/waiting")
    bystanders = [KIM, LEE, MAX]

    # Alice hides what points to the reporter, and writes a danger alert.
    alice.opens(KEPT)
    alice.hides("at the Rose flat")
    alice.drafts(looks="tall man, grey van", identifier=f"Phone: {OFFENDER}", advice="Please take care.")
    reference = alice.reference
    alice.sees("Nothing was found.", "One part", "tall man, grey van")
    good = alice.sms
    assert OFFENDER in good
    assert reference in good

    # The leak check refuses a text that holds the reporter's working name, until it is taken out.
    alice.words_the_sms(f"{good} Told by Saffron.")
    alice.sees("This cannot be put before anybody yet.", "Saffron")
    alice.submits()
    alice.sees("This cannot be put before anybody yet.")
    alice.words_the_sms(good)
    alice.sees("Nothing was found.")
    assert alice.reach() == {"Text message": 2, "E-mail": 1}
    alice.submits()

    # Alice cannot approve what she wrote, Bob can.
    alice.sees("You wrote or edited this, so somebody else has to decide.")
    alice.sees_no_button("Approve, let it leave")
    bob.approves(alice.alert)

    # Nothing leaves before the reporter has seen it: Kim's code, asked for later, arrives, and no alert does.
    bob.sees("The person who reported this holds it.")
    kim.signs_in_anew(KIM)
    assert not alerts_at(stack, ROBIN, reference)
    reporter.comes_back()
    reporter.sees(good)
    reporter.does_not_see("Saffron is")
    reporter.lets_it_go()

    # Robin gets the whole warning by text and by e-mail, Sasha a neutral text, the others nothing.
    assert eventually(lambda: alerts_at(stack, ROBIN, reference)) == [good]
    neutral = eventually(lambda: alerts_at(stack, SASHA, reference))
    assert neutral == [f"New notice {reference}, see {stack.web}"]
    mail = eventually(lambda: [each for each in sandbox.mails(ROBIN_MAIL) if reference in each["text"]])[0]
    assert mail["list_unsubscribe"].startswith(f"<{stack.web}/opt-out/")
    assert mail["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    assert "tall man" not in mail["subject"]
    assert "tall man" in mail["text"]
    alice.goes_to(alice.alert)
    eventually(lambda: alice.counts("arrived")[0] == 2)
    # The mail server has taken the e-mail; that it was read nobody knows.
    assert alice.counts("handed over") == (0, 1)
    assert alice.counts("all") == (2, 1)
    assert not [phone for phone in bystanders if alerts_at(stack, phone, reference)]
    robin.goes_to("/alerts")
    robin.follows(reference)
    robin.sees("tall man, grey van")

    # Sasha replies STOP.
    assert sandbox.reply(SASHA, "Stop.") in (200, 204)
    sasha.goes_to("/alerts/preferences")
    eventually(lambda: sasha.reads_anew("You replied STOP"))

    # Robin moves away; a correction still reaches everybody who got the first version, but not the stopped number.
    robin.moves_to("Wales", away_from=HERE)
    alice.corrects(alice.alert)
    alice.words_the_sms(good.replace("grey van", "blue van"))
    corrected = alice.sms
    assert "blue van" in corrected
    alice.submits()
    bob.approves(alice.alert)
    reporter.comes_back()
    reporter.lets_it_go()
    assert eventually(lambda: alerts_at(stack, ROBIN, reference)[1:]) == [corrected]
    eventually(lambda: [each for each in sandbox.mails(ROBIN_MAIL) if "has changed" in each["text"]])
    bob.goes_to(alice.alert)
    eventually(lambda: bob.counts("arrived")[0] == 1)
    assert alerts_at(stack, SASHA, reference) == neutral
    assert not [phone for phone in bystanders if alerts_at(stack, phone, reference)]

    # Another report: its reporter holds the warning, then withdraws everything. Nothing leaves.
    other = scheme.reporter()
    other.reports(
        OTHER_ACCOUNT,
        kinds=[ROBBED],
        offender_phone="07700 900777",
        offender_name="Sample",
        town="Leeds",
        premises="My place",
        working_name="Juniper",
        when="As soon as possible",
    )
    alice.opens(ROBBED)
    alice.hides("out of my bag")
    alice.drafts(looks="short man", identifier="Phone: 07700 900777", advice="Please take care.")
    second = alice.reference
    alice.submits()
    other.comes_back()
    other.holds_it()
    bob.approves(alice.alert)
    bob.sees("The person who reported this holds it.")
    other.comes_back()
    other.withdraws()
    kim.signs_in_anew(KIM)
    bob.goes_to(alice.alert)
    bob.sees("cancelled")
    bob.does_not_see("short man")
    assert not [text for text in sandbox.all_texts() if second in text["body"]]
    assert not [mail for mail in sandbox.all_mails() if second in mail["text"]]


def alerts_at(stack: Stack, phone: str, reference: str) -> list[str]:
    """The alerts of one reference on one phone, oldest first."""
    return [body for body in stack.sandbox.bodies(phone) if reference in body]
