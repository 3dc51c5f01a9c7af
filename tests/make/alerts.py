"""Alerts and those they reach: reports made ready for them, drafts written and approved through the pages, members."""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from alerts.membership.models import (
    Level,
    Member,
    MemberRegion,
    MemberSector,
    MemberState,
    Sector,
    Subscription,
)
from alerts.publishing import alert_kind
from alerts.publishing.models import ALERT_OUTPUT, Alert, AlertState, Change
from reporting.record import consents as consent_records, opening, outputs, queries as record_queries
from reporting.record.consents import Consents
from reporting.record.models import Output
from reporting.redaction import services, spans as redaction
from reporting.redaction.models import Redaction
from tests.make.cast import Colleague, signed_in
from tests.make.clock import MovableClock
from tests.make.databases import set_row
from tests.make.pages import hidden
from tests.make.reports import FiledReport, filed
from ugly_mugs.accounts.models import EpochKind, KeyEpoch, MemberKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox import claims, texts
from ugly_mugs.outbox.claims import Allowance
from ugly_mugs.outbox.models import Address, AddressState, Channel, Delivery
from ugly_mugs.outbox.registry import Claimed, Registry
from ugly_mugs.runtime import runtime

ACCOUNT = "A man booked me at a hotel in Leeds. I am Marisol. He took my money and threatened me."
OFFENDER = {
    "relation": "client",
    "names": ["Example"],
    "phones": ["07700 900456"],
    "gender": "man",
    "age": "40_44",
    "build": "broad",
    "vehicle": "blue van",
}
SECTIONS: dict[str, Any] = {
    "happened": {"account": ACCOUNT, "types": ["robbery", "threats"]},
    "offenders": [OFFENDER],
    "place": {"place": "Leeds", "premises": "hotel"},
    "when": {"day": "2026-11-18", "time_band": "evening"},
    "about_you": {"working_names": ["Marisol"]},
}
HERE = "yorkshire-humber"
ELSEWHERE = {"regions": ["wales"]}


class AlertReport(FiledReport):
    """A filed report from which alerts are made."""

    @property
    def output(self) -> Output:
        """The newest output, as it stands."""
        db.session.rollback()
        return db.session.scalars(
            sa.select(Output)
            .join(Alert, Alert.id == Output.subject_id)
            .where(Output.report_id == self.id)
            .order_by(Alert.version.desc()),
            execution_options={"populate_existing": True},
        ).first()  # type: ignore[return-value]

    def change(self, new: Consents) -> None:
        """The reporter comes back and allows something else."""
        key, report = self.content_key, self.row
        assert report.consents is not None
        former = consent_records.open_sealed(report.consents, report_id=report.id, content_key=key)
        locked = record_queries.locked_report(self.id)
        assert locked is not None
        outputs.change_consents(locked, former=former, new=new, content_key=key, day=self.clock.now().date())
        db.session.commit()

    def let_go(self) -> None:
        output = self.output
        outputs.lift_hold(output, seen_digest=outputs.preview_digest(output))
        db.session.commit()

    def hold(self) -> None:
        outputs.hold(self.output)
        db.session.commit()


@dataclass
class Newsroom:
    """Writes and sends alerts through the desk's pages; the author or approver acts unless `by` names another."""

    app: Flask
    clock: MovableClock
    author: Colleague
    approver: Colleague

    def file(self, consents: Consents | None = None, **sections: Any) -> AlertReport:
        """A report filed through the form's service; keywords replace whole sections."""
        return AlertReport(*filed(consents=consents, **{**SECTIONS, **sections}), self.clock)

    def redact(self, report: AlertReport, hide: str = "Marisol") -> None:
        """Hide these words everywhere in the account and settle what is left."""
        db.session.rollback()
        version = db.session.scalar(sa.select(Redaction.version).where(Redaction.report_id == report.id))
        opened = opening.open_report(report_id=report.id, staff=signed_in(self.author), now=self.clock.now())
        account = opened.contents.account
        spans = redaction.occurrences(account, hide)
        common: dict[str, Any] = {
            "report_id": report.id,
            "account": account,
            "content_key": opened.content_key,
            "staff_id": self.author.id,
            "now": self.clock.now(),
        }
        kept = services.save_spans(spans=spans, seen_version=version or 0, **common)
        text = redaction.redact(account, spans).text
        services.settle(text=text, known={}, seen_version=kept.version, **common)
        db.session.commit()

    def ready(self, consents: Consents | None = None, **sections: Any) -> AlertReport:
        """A report from which an alert may be drafted."""
        report = self.file(consents, **sections)
        self.redact(report)
        return report

    def draft(self, report: AlertReport | None = None, by: Colleague | None = None) -> uuid.UUID:
        """One click on the report's page."""
        report = report or self.ready()
        return _alert_in((by or self.author).post("/desk/alerts/new", {"report_id": str(report.id)}))

    def page(self, alert_id: uuid.UUID, by: Colleague | None = None) -> TestResponse:
        return (by or self.author).browser.get(f"/desk/alerts/{alert_id}")

    def approval_page(self, alert_id: uuid.UUID) -> TestResponse:
        return self.page(alert_id, self.approver)

    def answers(self, alert_id: uuid.UUID, by: Colleague | None = None) -> dict[str, Any]:
        """What the form of a draft holds now, as the browser would send it back."""
        page = self.page(alert_id, by).text
        form = page[page.index('name="seen"') - 200 : page.index("</form>", page.index('name="seen"'))]
        typed: dict[str, Any] = {}
        chosen_ones = r'<input type="(?:radio|checkbox)"[^>]*name="([^"]*)" value="([^"]*)" checked'
        for name, value in re.findall(chosen_ones, form):
            typed.setdefault(name, []).append(unescape(value))
        for name, text in re.findall(
            r'<textarea id="[^"]*" name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.S
        ):
            typed[name] = unescape(text)
        for tag in re.findall(r'<input type="(?:text|hidden)"[^>]*>', form):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            assert name is not None
            typed[name[1]] = unescape(value[1]) if value else ""
        for name, options in re.findall(r'<select id="[^"]*" name="([^"]*)".*?>(.*?)</select>', form, re.S):
            chosen = re.search(r'value="([^"]*)" selected', options)
            typed[name] = chosen[1] if chosen else ""
        return typed

    def save(
        self, alert_id: uuid.UUID, button: str = "save", *, by: Colleague | None = None, **changes: Any
    ) -> TestResponse:
        """Change some answers and press a button."""
        return (by or self.author).browser.post(
            f"/desk/alerts/{alert_id}", data={**self.answers(alert_id, by), "action": button, **changes}
        )

    def submit(self, alert_id: uuid.UUID, **changes: Any) -> TestResponse:
        return self.save(alert_id, "submit", **changes)

    def submitted(
        self, report: AlertReport | None = None, *, by: Colleague | None = None, **changes: Any
    ) -> uuid.UUID:
        """An alert that waits for somebody else."""
        alert_id = self.draft(report, by)
        answer = self.submit(alert_id, by=by, **changes)
        assert self.state(alert_id) is AlertState.SUBMITTED, answer.text
        return alert_id

    def approve(
        self, alert_id: uuid.UUID, page: TestResponse | None = None, by: Colleague | None = None
    ) -> TestResponse:
        """Press the button of a page that this person, or another, was shown."""
        by = by or self.approver
        page = page or self.page(alert_id, by)
        return self.press(alert_id, "approve", by, seen=hidden(page, "seen"), consent=hidden(page, "consent"))

    def approved(self, report: AlertReport | None = None, **changes: Any) -> uuid.UUID:
        """An alert that two people agreed on."""
        alert_id = self.submitted(report, **changes)
        answer = self.approve(alert_id)
        assert answer.status_code == 303, answer.text
        return alert_id

    def next_version(
        self, former: uuid.UUID, change: Change = Change.CORRECTION, by: Colleague | None = None
    ) -> uuid.UUID:
        """A draft of what follows a version that was approved."""
        return _alert_in(self.press(former, "version", by, change=change.value))

    def approved_version(
        self, former: uuid.UUID, change: Change = Change.CORRECTION, **changes: Any
    ) -> uuid.UUID:
        version = self.next_version(former, change)
        self.submit(version, **changes)
        answer = self.approve(version)
        assert answer.status_code == 303, answer.text
        return version

    def press(
        self, alert_id: uuid.UUID, button: str, by: Colleague | None = None, **typed: Any
    ) -> TestResponse:
        """One of the buttons on the page of an alert."""
        return (by or self.author).post(f"/desk/alerts/{alert_id}/{button}", typed)

    def alert(self, alert_id: uuid.UUID) -> Alert:
        db.session.rollback()
        return db.session.get_one(Alert, alert_id, populate_existing=True)

    def state(self, alert_id: uuid.UUID) -> AlertState:
        return self.alert(alert_id).state

    def output(self, alert_id: uuid.UUID) -> Output:
        db.session.rollback()
        query = sa.select(Output).where(Output.kind == ALERT_OUTPUT, Output.subject_id == alert_id)
        return db.session.scalars(query, execution_options={"populate_existing": True}).one()

    def deliveries(self, alert_id: uuid.UUID) -> Sequence[Delivery]:
        db.session.rollback()
        query = sa.select(Delivery).where(Delivery.subject_id == alert_id).order_by(Delivery.id)
        return db.session.scalars(query, execution_options={"populate_existing": True}).all()

    def recipients(self, alert_id: uuid.UUID) -> set[tuple[uuid.UUID, Channel]]:
        return {(each.recipient_id, each.channel) for each in self.deliveries(alert_id)}

    def claim(self, channel: Channel = Channel.SMS) -> list[Claimed]:
        """What the outbox would send at this moment; it is `attempting` from then on."""
        db.session.rollback()
        now = self.clock.now()
        return claims.claim(
            Registry(kinds=[alert_kind.ALERT]),
            channel=channel,
            allowance=Allowance(segments=10_000, rows=10_000),
            now=now,
            lease_ends_at=now + timedelta(minutes=2),
            quiet=False,
        )

    def texts_sent(self, channel: Channel = Channel.SMS) -> list[str]:
        """The texts of everything that may leave now; an alert that is unfit is stopped, as the outbox does it."""
        claimed = self.claim(channel)
        found = texts.texts_of(alert_kind.ALERT, claimed) if claimed else {}
        db.session.remove()
        return sorted(message.text for message in found.values())


@pytest.fixture
def newsroom(app: Flask, clock: MovableClock, alice: Colleague, bob: Colleague) -> Newsroom:
    return Newsroom(app, clock, author=alice, approver=bob)


def _alert_in(answer: TestResponse) -> uuid.UUID:
    """The alert to whose page the browser is sent."""
    assert answer.status_code == 303, answer.text
    return uuid.UUID(answer.location.rsplit("/", 1)[1])


def member(
    *,
    regions: Iterable[str] = (HERE,),
    sectors: Iterable[Sector] = (),
    kind: MemberKind = MemberKind.INDIVIDUAL,
    state: MemberState = MemberState.ACTIVE,
    channels: Iterable[Channel] = (Channel.SMS,),
    live: bool = True,
    address: AddressState = AddressState.PROVED,
    level: Level = Level.NEUTRAL,
    wake: bool = True,
    language: str = "en",
) -> uuid.UUID:
    """A member as joining, proving and vetting leave them; the rows alone, because tests of audiences need many."""
    epoch_id = db.session.scalars(sa.select(KeyEpoch.id).where(KeyEpoch.kind == EpochKind.VETTING)).first()
    member_id = uuid.uuid4()
    person = Member(
        id=member_id,
        state=state,
        kind=kind,
        language=language,
        level=level,
        wake_for_danger=wake,
        locator=uuid.uuid4().bytes,
        epoch_id=epoch_id,
        applied_on=runtime().clock.now().date(),
    )
    person.regions = [MemberRegion(region=region) for region in regions]
    person.sectors = [MemberSector(sector=sector) for sector in sectors]
    person.subscriptions = [Subscription(channel=channel, live=live) for channel in channels]
    db.session.add(person)
    for channel in channels:
        db.session.add(
            Address(
                id=uuid.uuid4(),
                owner_id=member_id,
                channel=channel,
                state=address,
                tag=uuid.uuid4().bytes,
                sealed=b"sealed",
            )
        )
    db.session.commit()
    # Asking the row for its id now would begin a transaction that keeps others out.
    return member_id


def moved(delivery: Delivery, **values: Any) -> None:
    """Put a delivery where the outbox would have brought it."""
    set_row(Delivery, delivery.id, **values)
