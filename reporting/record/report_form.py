"""The report as a form: every section of it, or some, drawn and judged together."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from reporting.record import consents as consent_records
from reporting.record.consents import Consents
from reporting.record.schemas import CONSENT_SECTIONS, KEPT_SECTIONS, MOST_OFFENDERS, SECTIONS, MoreSchema
from ugly_mugs.web.forms import Form, FormList, Problem, error_summary

# Made once: a schema's fields are copied and bound each time one is made, and reports come by the hundred.
_SCHEMAS: Final = {name: schema() for name, schema in SECTIONS.items()}
_MORE: Final = MoreSchema()
OFFENDERS: Final = "offenders"


class ReportForm:
    """The sections named, in their order. What happened must be told, except in an addition."""

    def __init__(self, names: Sequence[str] = tuple(SECTIONS), *, addition: bool = False) -> None:
        schemas = {**_SCHEMAS, "happened": _MORE} if addition else _SCHEMAS
        self._needed = "" if addition else "happened"
        self.sections: dict[str, Form | FormList] = {
            name: FormList(lambda: _SCHEMAS[OFFENDERS], OFFENDERS, limit=MOST_OFFENDERS)
            if name == OFFENDERS
            else Form(schemas[name], prefix=name)
            for name in names
        }

    @classmethod
    def of_choices(cls) -> "ReportForm":
        """Only what a reporter allows."""
        return cls(CONSENT_SECTIONS, addition=True)

    @classmethod
    def of_additions(cls) -> "ReportForm":
        """Everything that can be added later, so all but the consents."""
        return cls(KEPT_SECTIONS, addition=True)

    def keep(self, typed: "MultiDict[str, Any]") -> "ReportForm":
        """Remember what was typed without judging it."""
        for section in self.sections.values():
            section.keep(typed)
        return self

    def take(self, typed: "MultiDict[str, Any]") -> bool:
        """Keep and judge what was typed; sections left entirely empty are not judged, unless one must be filled."""
        # Most sections of most reports come back untouched, and are drawn again as untouched ones.
        touched = {name.partition(".")[0].partition("-")[0] for name, text in typed.items(multi=True) if text}
        good = True
        for name, section in self.sections.items():
            if name not in touched and name != self._needed:
                continue
            if isinstance(section, FormList):
                good &= section.take(typed)
            elif not section.keep(typed).empty or name == self._needed:
                good &= section.judge()
        return good

    def asked_to_add(self, typed: "MultiDict[str, Any]") -> bool:
        """Whether "add another person" was pressed, which never sends anything."""
        return self.offenders.asked_to_add(typed)

    @property
    def offenders(self) -> FormList:
        found = self.sections[OFFENDERS]
        assert isinstance(found, FormList)
        return found

    @property
    def values(self) -> dict[str, Any]:
        """What a good `take` found, by section; consents are read with `consents`."""
        return {name: self.sections[name].values for name in self.sections if name in KEPT_SECTIONS}

    def consents(self, *, language: str, day: date, former: Consents | None = None) -> Consents:
        """What a good `take` found that is allowed."""
        warn, contact = self["warn_others"].values, self["contact_me"].values
        return consent_records.from_answers(warn, contact, language=language, day=day, former=former)

    def fill_consents(self, now: Consents) -> "ReportForm":
        """Draw what is allowed at present."""
        self["warn_others"].fill(
            {
                "warn_others": now.warn_others,
                "when": now.when if now.warn_others else None,
                "not_before": now.not_before,
            }
        )
        self["contact_me"].fill({"contact_me": now.contact_me, **now.safe_contact})
        return self

    def refuse_length(self, message: Any) -> None:
        """All of it together does not fit."""
        self["happened"].refuse("account", message)

    def problems(self) -> list[Problem]:
        return error_summary(*self.sections.values())

    def __getitem__(self, name: str) -> Form:
        found = self.sections[name]
        assert isinstance(found, Form)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.sections

    def __iter__(self) -> Iterator[str]:
        return iter(self.sections)


def carried(typed: "MultiDict[str, Any]", names: Sequence[str] = tuple(SECTIONS)) -> list[tuple[str, str]]:
    """Every answer typed into these sections, as it was posted, to be taken along unseen to another page."""
    prefixes = tuple(f"{name}-" if name == OFFENDERS else f"{name}." for name in names)
    return [
        (name, text) for name, text in typed.items(multi=True) if name.startswith(prefixes) and text.strip()
    ]
