"""What somebody answered, in the words of the form, for the pages that show a report."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from flask_babel import format_date, gettext as _
from marshmallow import fields

from reporting.record.consents import Consents, When
from reporting.record.schemas import SECTIONS, TITLES
from ugly_mugs.web.form_fields import Day, offered_now

Row = tuple[str, str]


class Answered(NamedTuple):
    """One section: its title, and each answered question with its answer."""

    name: str
    title: str
    rows: list[Row]


def in_words(sections: Mapping[str, Any]) -> Iterator[Answered]:
    """Every section that has answers, in the order of the form; each alleged offender by themselves."""
    for name in SECTIONS:
        section = sections.get(name)
        if not section:
            continue
        if isinstance(section, Mapping):
            yield Answered(name, str(TITLES[name]), rows(name, section))
            continue
        for number, person in enumerate(section, start=1):
            title = _("Person %(number)s", number=number) if len(section) > 1 else str(TITLES[name])
            yield Answered(name, title, rows(name, person))


def rows(section: str, answers: Mapping[str, Any]) -> list[Row]:
    """The answered questions of one section."""
    schema = SECTIONS[section]._declared_fields
    return [
        (str(field.metadata["label"]), in_word(field, answers[name]))
        for name, field in schema.items()
        if answers.get(name) not in (None, "", [])
    ]


def in_word(field: fields.Field[Any], value: Any) -> str:
    """One answer as a person reads it."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(field, Day):
        return str(format_date(date.fromisoformat(value) if isinstance(value, str) else value, "long"))
    labels = {str(each[0]): str(each[1]) for each in offered_now(field.metadata.get("choices", ()))}
    if isinstance(value, list):
        return "\n".join(labels.get(each, str(each)) for each in value)
    return labels.get(str(value), str(value))


def of_consents(consents: Consents) -> list[Row]:
    """What is allowed at present, in words."""
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
