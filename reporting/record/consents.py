"""The consents of a reporter: off by default, recorded with the exact wording, sealed under the content key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _

from ugly_mugs.database.sealed_json import Plain, SealedJson
from ugly_mugs.vault import symmetric
from ugly_mugs.vault.padding import CONSENTS as SIZES


class Consent(StrEnum):
    WARN_OTHERS = "warn_others"
    CONTACT_ME = "contact_me"


class When(StrEnum):
    ASAP = "asap"
    NOT_BEFORE = "not_before"
    AFTER_SEEN = "after_seen"


@dataclass(frozen=True)
class Wording:
    """The exact question that was asked; when the text changes, the version rises."""

    version: int
    question: Any


WORDINGS: Final[Mapping[Consent, Wording]] = {
    Consent.WARN_OTHERS: Wording(1, _("May we warn other sex workers about this person?")),
    Consent.CONTACT_ME: Wording(1, _("May we contact you to offer support?")),
}

MOST_RECORDS = 16


@dataclass(frozen=True)
class ConsentRecord:
    """One answer to one consent: the answer, the version of the wording, the language and the day."""

    consent: Consent
    given: bool
    wording: int
    language: str
    day: date


@dataclass(frozen=True)
class Consents:
    """The consents in force, and the newest MOST_RECORDS records of how they changed."""

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
        """The first day on which a warning may be sent, if the reporter chose one."""
        return self.not_before if self.warn_others and self.when is When.NOT_BEFORE else None

    def given(self, consent: Consent) -> bool:
        return self.warn_others if consent is Consent.WARN_OTHERS else self.contact_me

    def terms(self, consent: Consent) -> tuple[Any, ...]:
        """The values of one consent. When any of them changes, approvals under the old values are void."""
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
    """The consents in the two answered sections; a missing answer counts as no.

    A record is added for each consent whose terms differ from `former`.
    """
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


def seal(consents: Consents, *, report_id: UUID, content_key: bytes) -> bytes:
    """Seal under the report's content key, padded to one fixed size."""
    return CONSENTS.seal(consents, row=report_id, sealer=partial(symmetric.seal, content_key))


def open_sealed(sealed: bytes, *, report_id: UUID, content_key: bytes) -> Consents:
    """The inverse of `seal`; CannotOpen when the key is another report's."""
    return CONSENTS.open(sealed, row=report_id, opener=partial(symmetric.open_sealed, content_key))


def _plain(consents: Consents) -> Plain:
    return {
        "warn_others": consents.warn_others,
        "when": consents.when,
        "not_before": consents.not_before.isoformat() if consents.not_before else None,
        "contact_me": consents.contact_me,
        "safe_contact": dict(consents.safe_contact),
        "records": [
            [record.consent, record.given, record.wording, record.language, record.day.isoformat()]
            for record in consents.records
        ],
    }


def _from_plain(plain: Plain) -> Consents:
    return Consents(
        warn_others=plain["warn_others"],
        when=When(plain["when"]),
        not_before=date.fromisoformat(plain["not_before"]) if plain["not_before"] else None,
        contact_me=plain["contact_me"],
        safe_contact=plain["safe_contact"],
        records=tuple(_record(record) for record in plain["records"]),
    )


def _record(plain: Sequence[Any]) -> ConsentRecord:
    consent, given, wording, language, day = plain
    return ConsentRecord(Consent(consent), given, wording, language, date.fromisoformat(day))


CONSENTS: Final = SealedJson("reports", "consents", sizes=SIZES, dump=_plain, load={1: _from_plain})
