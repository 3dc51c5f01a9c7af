"""A kind of output brings its own words, pages and consent: pages show one that only this test knows."""

import uuid
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reporting.record import outputs
from reporting.record.consents import Consent, Consents
from reporting.record.models import LIVE_OUTPUTS, Output, OutputKind, OutputState
from reporting.record.output_kinds import (
    CreateAction,
    DeskWords,
    OutputKindSpec,
    ReporterWords,
    Sentences,
    registered,
    spec_of,
)
from tests.make.cast import Colleague, Team
from tests.make.pages import Drawn, plain_words
from tests.make.reporter import come_back, file as file_report, file_and_open, make_output, post, stored
from tests.make.reports import File, FiledReport, page_of
from tests.make.wiring import rewire
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict

PACKET = OutputKindSpec(
    kind=OutputKind("packet"),
    rests_on=Consent.CONTACT_ME,
    page_of=lambda packet_id: f"/desk/packets/{packet_id}",
    permission=Permission.CONVERSE,
    reporter=ReporterWords(
        heading="For the police",
        none_made="No packet was put together yet.",
        not_allowed="You did not ask for a packet.",
        states={state: Sentences(f"The packet is {state}.", held="You hold it.") for state in OutputState},
        texts={"sms": "As the police read it"},
        on_withdrawal="A packet goes into the bin.",
    ),
    desk=DeskWords(
        heading="Packets",
        title="Packet no. %(number)s",
        states={state: Sentences(f"Packet {state}.") for state in OutputState},
        next_step="A packet was put together.",
        settling_message="A packet was made from what you told us.",
    ),
    create_action=CreateAction(
        endpoint="publishing.new",
        permission=Permission.DRAFT,
        button="Put a packet together",
        hide_words="Hide words for the packet.",
        if_unwanted="If no packet should come of it, settle it.",
        ready="Now a packet can be put together.",
    ),
)
WORDS_OF_ALERTS = ("alert was made", "Write an alert", "Being written", "warning is being written")
CONTACT = {"contact_me__contact_me": "yes", "contact_me__where": "07700 900777"}


@pytest.fixture(autouse=True)
def _wired(app: Flask) -> None:
    wire(app, PACKET)


def wire(app: Flask, spec: OutputKindSpec) -> None:
    """The kinds of the service, and this one behind them."""
    others = [each for each in registered() if each.kind != spec.kind]
    rewire(app, output_kinds=(*others, spec))


def packet(words: str, state: OutputState) -> Output:
    return make_output(words, state, uuid.uuid4(), "A man in a grey car.", PACKET.kind)


class TestOnTheReceiptPage:
    @pytest.mark.parametrize("state", sorted(LIVE_OUTPUTS | {OutputState.ENDED}))
    def test_it_stands_under_its_own_heading_with_its_own_words(
        self, client: FlaskClient, state: OutputState
    ) -> None:
        words = file_report(client, **CONTACT)
        packet(words, state)
        come_back(client, words)

        said = plain_words(client.get("/receipt/report").text)

        group = said.partition("For the police")[2].partition("Messages")[0]
        assert f"The packet is {state}." in group
        assert ("As the police read it" in group) == (state in outputs.SHOWN)
        assert "A man in a grey car." not in said.replace(group, "")
        assert "You have not said yes to a warning, so none is made." in said
        assert not [each for each in WORDS_OF_ALERTS if each in said]

    def test_it_can_be_held_and_let_go(self, client: FlaskClient) -> None:
        words = file_report(client, **CONTACT)
        output = packet(words, OutputState.APPROVED)
        come_back(client, words)

        post(client, "/receipt/output", output=str(output.id), do="hold")
        page = client.get("/receipt/report").text
        assert "You hold it." in plain_words(page)
        seen = Drawn(page).of("input", name="seen")[0]["value"]
        post(client, "/receipt/output", output=str(output.id), seen=seen, do="let_go")

        db.session.refresh(output)
        assert not output.held

    @pytest.mark.parametrize(
        ("answers", "sentence"),
        [(CONTACT, "No packet was put together yet."), ({}, "You did not ask for a packet.")],
    )
    def test_it_says_when_there_is_none(
        self, client: FlaskClient, answers: dict[str, str], sentence: str
    ) -> None:
        file_and_open(client, **answers)

        assert sentence in plain_words(client.get("/receipt/report").text)

    def test_it_says_what_withdrawing_means_for_it(self, client: FlaskClient) -> None:
        words = file_report(client, **CONTACT)
        packet(words, OutputState.PROPOSED)
        come_back(client, words)

        said = plain_words(client.get("/receipt/withdraw").text)

        assert "A packet goes into the bin." in said
        assert "The packet is proposed." in said


class TestItsConsent:
    def test_without_it_none_is_proposed(self, client: FlaskClient) -> None:
        words = file_report(client, warn_others__warn_others="yes")

        with pytest.raises(Conflict):
            packet(words, OutputState.PROPOSED)

    def test_only_what_rests_on_a_consent_ends_with_it(self, client: FlaskClient) -> None:
        words = file_report(client, warn_others__warn_others="yes", **CONTACT)
        ends, stays = (
            packet(words, OutputState.PROPOSED),
            make_output(words, OutputState.PROPOSED, uuid.uuid4()),
        )
        come_back(client, words)

        post(client, "/receipt/choices", **{"warn_others.warn_others": "yes", "contact_me.contact_me": "no"})

        db.session.refresh(ends)
        db.session.refresh(stays)
        assert (ends.state, stays.state) == (OutputState.WITHDRAWN, OutputState.PROPOSED)
        assert not stored(words).consents.contact_me


@pytest.fixture
def report(file: File) -> FiledReport:
    return file(consents=Consents(contact_me=True))


class TestOnTheDesksPage:
    def test_the_steps_lead_to_it_in_its_own_words(self, alice: Colleague, report: FiledReport) -> None:
        alice.post(f"{report.path}/take")
        assert "Hide words for the packet." in page_of(alice, report)
        assert "If no packet should come of it, settle it." in page_of(alice, report)
        alice.post(f"{report.path}/redact", {"version": "0"})
        left = Drawn(alice.browser.get(f"{report.path}/redact/text").text).texts["text"]
        alice.post(f"{report.path}/redact/text", {"version": "1", "text": left})

        page = page_of(alice, report)
        assert "Now a packet can be put together." in page
        assert page.count("Put a packet together") == 1

        report.propose(PACKET.kind, Consents(contact_me=True))
        page = page_of(alice, report)
        assert "A packet was put together." in page
        assert page.count("Put a packet together") == 1
        assert not [each for each in WORDS_OF_ALERTS if each in page]

    def test_it_is_listed_with_its_title_its_page_and_its_state(
        self, alice: Colleague, report: FiledReport
    ) -> None:
        output = report.propose(PACKET.kind, Consents(contact_me=True))

        page = page_of(alice, report)

        link = f'<a href="/desk/packets/{output.subject_id}">Packet no. 1</a>: Packet proposed.'
        assert link in page.partition("Packets</h2>")[2]

    def test_it_is_no_link_for_those_who_may_not_follow_it(
        self, app: Flask, team: Team, alice: Colleague, report: FiledReport
    ) -> None:
        wire(app, replace(PACKET, permission=Permission.DRAFT))
        dora = team.hire("dora")
        report.propose(PACKET.kind, Consents(contact_me=True))

        assert "<li>Packet no. 1: Packet proposed.</li>" in page_of(dora, report)

    def test_what_is_said_at_the_end_is_about_it(self, alice: Colleague, report: FiledReport) -> None:
        report.propose(PACKET.kind, Consents(contact_me=True))
        alice.post(f"{report.path}/take")

        proposed = Drawn(alice.browser.get(report.path).text).texts["settle.message"]

        assert proposed == "A packet was made from what you told us."


class TestSentences:
    SENTENCES = Sentences("usual", held="held", not_before="not before %(day)s")

    @pytest.mark.parametrize(
        ("held", "day", "sentence"),
        [
            (False, None, "usual"),
            (True, None, "held"),
            (True, date(2026, 12, 24), "held"),
            (False, date(2026, 12, 24), "not before 24 December 2026"),
        ],
    )
    def test_a_hold_counts_before_a_first_day(
        self, app: Flask, held: bool, day: date | None, sentence: str
    ) -> None:
        with app.test_request_context():
            assert self.SENTENCES.about(Output(held=held, not_before=day)) == sentence

    def test_where_it_makes_no_difference_the_usual_one_is_said(self) -> None:
        assert Sentences("usual").about(Output(held=True, not_before=date(2026, 12, 24))) == "usual"


def test_every_kind_of_the_service_has_a_sentence_for_every_state_and_pages_that_are_there(
    app: Flask,
) -> None:
    specs, routes = [each for each in registered() if each is not PACKET], app.url_map.bind("localhost")

    assert specs
    for spec in specs:
        assert spec.reporter.states.keys() == spec.desk.states.keys() == set(OutputState)
        assert len(spec.kind) <= 32
        with app.test_request_context():
            assert routes.match(spec.page_of(uuid.uuid4()))
        if spec.create_action is not None:
            assert routes.build(spec.create_action.endpoint, method="POST")


def test_a_kind_that_no_feature_registers_is_an_error(app: Flask) -> None:
    with pytest.raises(LookupError, match="unheard"):
        spec_of(OutputKind("unheard"))
