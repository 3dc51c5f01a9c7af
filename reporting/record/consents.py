"""What a reporter allows: each consent off by default, recorded with its wording, sealed with the report.

Changing one touches only what rests on it (`RESTS_ON`): there the consent version rises, so that whatever was
approved before does not leave, and where the consent is gone the output ends.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from reporting.record.endings import output_ends
from reporting.record.models import LIVE_OUTPUTS, OUTPUT_MOVES, Output, OutputKind, OutputState, Report
from ugly_mugs.database.engine import db
from ugly_mugs.vault import Where, symmetric
from ugly_mugs.vault.padding import CONSENTS as SIZES


class Consent(StrEnum):
    WARN_OTHERS = "warn_others"
    CONTACT_ME = "contact_me"


class When(StrEnum):
    """When a warning may leave."""

    ASAP = "asap"
    NOT_BEFORE = "not_before"
    AFTER_SEEN = "after_seen"


@dataclass(frozen=True)
class Wording:
    """The exact question somebody said yes to; new words are a new version."""

    version: int
    question: Any


WORDINGS: Final[Mapping[Consent, Wording]] = {
    Consent.WARN_OTHERS: Wording(1, _("May we warn other sex workers about this person?")),
    Consent.CONTACT_ME: Wording(1, _("May we contact you to offer support?")),
}

RESTS_ON: Final[Mapping[OutputKind, Consent]] = {OutputKind.ALERT: Consent.WARN_OTHERS}

MOST_RECORDS = 16


@dataclass(frozen=True)
class ConsentRecord:
    """One answer to one consent: what was said, to which wording, in which language, on which day."""

    consent: Consent
    given: bool
    wording: int
    language: str
    day: date


@dataclass(frozen=True)
class Consents:
    """What holds now, and the newest records of how it came about. All off is "just listen"."""

    warn_others: bool = False
    when: When = When.ASAP
    not_before: date | None = None
    contact_me: bool = False
    safe_contact: Mapping[str, Any] = field(default_factory=dict)
    records: tuple[ConsentRecord, ...] = ()

    @property
    def wants_to_see_first(self) -> bool:
        """Whether a warning is held until the reporter has seen it."""
        return self.warn_others and self.when is When.AFTER_SEEN

    @property
    def earliest(self) -> date | None:
        """The day before which nothing may leave."""
        return self.not_before if self.warn_others and self.when is When.NOT_BEFORE else None

    def given(self, consent: Consent) -> bool:
        return self.warn_others if consent is Consent.WARN_OTHERS else self.contact_me

    def terms(self, consent: Consent) -> tuple[Any, ...]:
        """Everything about one consent that, when it changes, makes it another consent."""
        if consent is Consent.CONTACT_ME:
            return (self.contact_me,)
        return (True, self.when, self.earliest) if self.warn_others else (False,)


def from_answers(
    warn: Mapping[str, Any],
    contact: Mapping[str, Any],
    *,
    language: str,
    day: date,
    former: Consents | None = None,
) -> Consents:
    """The consents two filled-in sections give; only an explicit yes is one."""
    when = When(warn["when"]) if warn.get("when") else When.ASAP
    new = Consents(
        warn_others=warn.get("warn_others") is True,
        when=when,
        not_before=warn.get("not_before") if when is When.NOT_BEFORE else None,
        contact_me=contact.get("contact_me") is True,
        safe_contact={
            name: value
            for name, value in contact.items()
            if name != "contact_me" and value not in (None, "", [])
        },
        records=former.records if former else (),
    )
    added = tuple(
        ConsentRecord(consent, new.given(consent), WORDINGS[consent].version, language, day)
        for consent in Consent
        if former is None or new.terms(consent) != former.terms(consent)
    )
    return replace(new, records=(new.records + added)[-MOST_RECORDS:])


def change(report: Report, *, former: Consents, new: Consents, content_key: bytes, day: date) -> list[Output]:
    """Seal what holds from now on; the outputs that rest on a changed consent are raised, held or ended.

    Returns the outputs it touched. The report's row must be locked by the caller's transaction.
    """
    report.consents = seal(new, report_id=report.id, content_key=content_key)
    report.consents_version += 1
    report.changed_on = day
    changed = {consent for consent in Consent if new.terms(consent) != former.terms(consent)}
    resting = [output for output in _outputs(report.id) if RESTS_ON[output.kind] in changed]
    touched = [output for output in resting if output.state in LIVE_OUTPUTS]
    for output in resting:
        if new.given(RESTS_ON[output.kind]) and output.state is not OutputState.WITHDRAWN:
            # A hold set because the reporter asked to see it goes with that wish; one they set themselves stays, and
            # that of an ended one goes over to its successor.
            output.held = new.wants_to_see_first or (output.held and not former.wants_to_see_first)
    for output in touched:
        output.consent_version += 1
        output.not_before = new.earliest
        if not new.given(RESTS_ON[output.kind]):
            OUTPUT_MOVES.move(output, OutputState.WITHDRAWN)
            output.preview = None
            output_ends(output)
        elif output.state is OutputState.APPROVED:
            # The approval was given to what the reporter allowed before; somebody has to look again.
            OUTPUT_MOVES.move(output, OutputState.PROPOSED)
    return touched


def seal(consents: Consents, *, report_id: UUID, content_key: bytes) -> bytes:
    """Under the report's content key, one size for everybody."""
    plain = json.dumps(_plain(consents), ensure_ascii=False, separators=(",", ":")).encode()
    return symmetric.seal(content_key, plain, _where(report_id), sizes=SIZES)


def open_sealed(sealed: bytes, *, report_id: UUID, content_key: bytes) -> Consents:
    """The inverse of `seal`; CannotOpen when the key is another report's."""
    found = json.loads(symmetric.open_sealed(content_key, sealed, _where(report_id)))
    return Consents(
        warn_others=found["warn_others"],
        when=When(found["when"]),
        not_before=_day(found["not_before"]),
        contact_me=found["contact_me"],
        safe_contact=found["safe_contact"],
        records=tuple(_record(each) for each in found["records"]),
    )


def _where(report_id: UUID) -> Where:
    return Where("reports", "consents", report_id)


def _plain(consents: Consents) -> dict[str, Any]:
    return {
        "warn_others": consents.warn_others,
        "when": consents.when,
        "not_before": consents.not_before.isoformat() if consents.not_before else None,
        "contact_me": consents.contact_me,
        "safe_contact": dict(consents.safe_contact),
        "records": [
            [each.consent, each.given, each.wording, each.language, each.day.isoformat()]
            for each in consents.records
        ],
    }


def _record(found: Sequence[Any]) -> ConsentRecord:
    consent, given, wording, language, day = found
    return ConsentRecord(Consent(consent), given, wording, language, date.fromisoformat(day))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _outputs(report_id: UUID) -> Sequence[Output]:
    query = sa.select(Output).where(Output.report_id == report_id)
    return db.session.scalars(query.order_by(Output.id).with_for_update()).all()
