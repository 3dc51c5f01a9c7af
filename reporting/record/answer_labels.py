"""The answers of a report with the labels of the form, for the pages that show a report."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from flask_babel import format_date, gettext as _
from marshmallow import fields

from reporting.record.consents import Consents, When
from reporting.record.schemas import SECTIONS, TITLES
from ugly_mugs.web.form_fields import Day, offered_now

Row = tuple[str, str]


class AnsweredSection(NamedTuple):
    """One section: its title, and each answered question with its answer."""

    name: str
    title: str
    rows: list[Row]


def labelled_sections(sections: Mapping[str, Any]) -> Iterator[AnsweredSection]:
    """Every section that has answers, in the order of the form; one section for each alleged offender."""
    for name in SECTIONS:
        section = sections.get(name)
        if not section:
            continue
        if isinstance(section, Mapping):
            yield AnsweredSection(name, str(TITLES[name]), rows(name, section))
            continue
        for number, person in enumerate(section, start=1):
            title = _("Person %(number)s", number=number) if len(section) > 1 else str(TITLES[name])
            yield AnsweredSection(name, title, rows(name, person))


def rows(section: str, answers: Mapping[str, Any]) -> list[Row]:
    schema = SECTIONS[section]._declared_fields
    return [
        (str(field.metadata["label"]), answer_text(field, answers[name]))
        for name, field in schema.items()
        if answers.get(name) not in (None, "", [])
    ]


def answer_text(field: fields.Field[Any], value: Any) -> str:
    """One stored answer as the label that the form shows for it."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(field, Day):
        return str(format_date(date.fromisoformat(value) if isinstance(value, str) else value, "long"))
    labels = {str(choice[0]): str(choice[1]) for choice in offered_now(field.metadata.get("choices", ()))}
    if isinstance(value, list):
        return "\n".join(labels.get(item, str(item)) for item in value)
    return labels.get(str(value), str(value))


def of_consents(consents: Consents) -> list[Row]:
    """What the reporter allows now, as label and answer."""
    warn = _("No")
    if consents.warn_others:
        warn = _("Yes, as soon as possible")
        if consents.when is When.AFTER_SEEN:
            warn = _("Yes, but only after you have seen it")
        elif consents.earliest is not None:
            warn = _("Yes, but not before %(day)s", day=format_date(consents.earliest, "long"))
    allowed = [
        (_("Warn others"), warn),
        (_("Contact you to offer support"), _("Yes") if consents.contact_me else _("No")),
    ]
    return allowed + rows("contact_me", consents.safe_contact)
