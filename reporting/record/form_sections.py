"""The report as a form: all sections, or some of them, drawn and validated together."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from reporting.record import consents as consent_records
from reporting.record.consents import Consents
from reporting.record.schemas import CONSENT_SECTIONS, KEPT_SECTIONS, MOST_OFFENDERS, SECTIONS, MoreSchema
from ugly_mugs.web.forms import Form, FormList, Problem, error_summary

# Created once, because marshmallow copies and binds all fields of a schema each time it is instantiated.
_SCHEMAS: Final = {name: schema() for name, schema in SECTIONS.items()}
_MORE: Final = MoreSchema()
OFFENDERS: Final = "offenders"


class ReportForm:
    """The named sections, in their order. The section "happened" is required, except in an addition."""

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
        """Only the consents."""
        return cls(CONSENT_SECTIONS, addition=True)

    @classmethod
    def of_additions(cls) -> "ReportForm":
        """Every section that can be added later: all but the consents."""
        return cls(KEPT_SECTIONS, addition=True)

    def keep(self, typed: "MultiDict[str, Any]") -> "ReportForm":
        for section in self.sections.values():
            section.keep(typed)
        return self

    def take(self, typed: "MultiDict[str, Any]") -> bool:
        """Keep and validate what was typed; whether it is valid. Empty sections are skipped, except a required one."""
        # Skipping empty sections saves time: most sections of most reports are empty.
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
        """Whether "add another person" was pressed; the form is then not submitted."""
        return self.offenders.asked_to_add(typed)

    @property
    def offenders(self) -> FormList:
        offenders = self.sections[OFFENDERS]
        assert isinstance(offenders, FormList)
        return offenders

    @property
    def values(self) -> dict[str, Any]:
        """The answers by section, after `take` returned True; without the consents (see `consents`)."""
        return {name: self.sections[name].values for name in self.sections if name in KEPT_SECTIONS}

    def consents(self, *, language: str, day: date, former: Consents | None = None) -> Consents:
        warn, contact = self["warn_others"].values, self["contact_me"].values
        return consent_records.from_answers(warn, contact, language=language, day=day, former=former)

    def fill_consents(self, now: Consents) -> "ReportForm":
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
        """Show that the answers together exceed the largest size."""
        self["happened"].refuse("account", message)

    def problems(self) -> list[Problem]:
        return error_summary(*self.sections.values())

    def __getitem__(self, name: str) -> Form:
        section = self.sections[name]
        assert isinstance(section, Form)
        return section

    def __contains__(self, name: object) -> bool:
        return name in self.sections

    def __iter__(self) -> Iterator[str]:
        return iter(self.sections)


def posted_answers(
    typed: "MultiDict[str, Any]", names: Sequence[str] = tuple(SECTIONS)
) -> list[tuple[str, str]]:
    """Every posted, non-empty field of these sections, for the hidden fields of another page."""
    prefixes = tuple(f"{name}-" if name == OFFENDERS else f"{name}." for name in names)
    return [
        (name, text) for name, text in typed.items(multi=True) if name.startswith(prefixes) and text.strip()
    ]
