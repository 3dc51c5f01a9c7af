"""Forms: one marshmallow schema draws the page and validates what comes back; typed text is never lost.

The fields that a schema may have are in `form_fields`; `templates/macros/fields.html` draws them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields
from marshmallow.exceptions import SCHEMA
from werkzeug.datastructures import MultiDict

from ugly_mugs.web.form_fields import MOST_VALUES, Lines, offered_now

INFERRED_WIDGETS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (Lines, "textarea"),
    (fields.List, "checkboxes"),
    (fields.Boolean, "checkbox"),
    (fields.Date, "date"),
    (fields.Email, "email"),
)
GROUPS = frozenset({"radios", "checkboxes"})


class Option(NamedTuple):
    """One choice of a field, as drawn."""

    value: str
    label: str
    hint: str
    id: str
    chosen: bool


class Problem(NamedTuple):
    """One line of the error summary above a form: the field's id, its label, and what is wrong with it."""

    id: str
    label: str
    message: str


@dataclass(frozen=True)
class Field:
    """One field as drawn: its label and hint, what was typed, and the errors in that."""

    name: str
    id: str
    label: str
    hint: str
    widget: str
    values: list[str]
    errors: list[str]
    required: bool
    autocomplete: str
    inputmode: str
    rows: int
    offered: tuple[tuple[Any, ...], ...]
    section: str
    language: str

    @property
    def value(self) -> str:
        """The content of the input; a password is never sent back to the page."""
        return "" if self.widget == "password" or not self.values else self.values[0]

    @property
    def group(self) -> bool:
        """Whether it is drawn as a fieldset of several inputs."""
        return self.widget in GROUPS

    @property
    def hint_id(self) -> str:
        return f"{self.id}-hint"

    @property
    def error_id(self) -> str:
        return f"{self.id}-error"

    @property
    def described_by(self) -> str:
        """The ids of hint and errors, for `aria-describedby`; empty without either."""
        return " ".join([self.hint_id] * bool(self.hint) + [self.error_id] * bool(self.errors))

    @cached_property
    def choices(self) -> list[Option]:
        """The choices; the first has the field's own id, so that a link to the field leads to it."""
        return [
            Option(
                value=(value := written(choice[0])),
                label=str(choice[1]),
                hint=str(choice[2]) if len(choice) > 2 else "",
                id=f"{self.id}-{number}" if number else self.id,
                chosen=value in self.values,
            )
            for number, choice in enumerate(self.offered)
        ]


class Form:
    """The fields of one schema, drawn empty, with known values (`fill`) or with what was posted (`take`)."""

    def __init__(self, schema: Schema, *, prefix: str = "") -> None:
        self.schema = schema
        self.prefix = prefix
        self.values: dict[str, Any] = {}
        self.errors: dict[str, list[str]] = {}
        self._typed: dict[str, list[str]] = {}

    def fill(self, values: Mapping[str, Any]) -> "Form":
        """Set known values; names that the schema does not have are ignored."""
        for name, field in self.schema.fields.items():
            if values.get(name) is not None:
                self._typed[name] = as_typed(field, values[name])
        return self

    def keep(self, typed: "MultiDict[str, Any]") -> "Form":
        """Store what was posted without validating it, to draw the page again."""
        self.errors, self.values = {}, {}
        self._typed = {
            name: [str(text) for text in typed.getlist(self.html_name(name))[: MOST_VALUES + 1]]
            for name in self.schema.load_fields
        }
        return self

    def take(self, typed: "MultiDict[str, Any]") -> bool:
        """Store and validate what was posted. True: it is in `values`. False: `errors` says what is wrong."""
        return self.keep(typed).judge()

    def judge(self) -> bool:
        """Validate what `keep` stored, with the result of `take`."""
        try:
            loaded = self.schema.load(self._to_load())
        except ValidationError as refusal:
            messages = refusal.messages_dict
            self.errors = {
                str(name): sentences(messages[name]) for name in in_order(messages, self.schema.fields)
            }
            return False
        self.values = dict(loaded)
        return True

    def refuse(self, name: str, message: Any) -> None:
        """Add an error that a service found after validation."""
        self.errors.setdefault(name, []).append(str(message))

    @property
    def empty(self) -> bool:
        return not any(
            widget_of(self.schema.fields[name]) != "hidden"
            for name, texts in self._typed.items()
            for text in texts
            if text and text.strip()
        )

    def html_name(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    def html_id(self, name: str) -> str:
        return re.sub(r"[^A-Za-z0-9_-]", "-", self.html_name(name))

    def problems(self) -> list[Problem]:
        """All errors in the order of the page; one that concerns the whole form links to its first field."""
        problems = []
        for name, messages in self.errors.items():
            known = name in self.schema.fields
            target = name if known else next(iter(self.schema.fields), name)
            label = str(self.schema.fields[name].metadata.get("label", name)) if known else ""
            problems += [Problem(self.html_id(target), label, message) for message in messages]
        return problems

    def __getitem__(self, name: str) -> Field:
        field = self.schema.fields[name]
        metadata = field.metadata
        return Field(
            name=self.html_name(name),
            id=self.html_id(name),
            label=str(metadata.get("label", name)),
            hint=str(metadata.get("hint", "")),
            widget=widget_of(field),
            values=self._typed.get(name, []),
            errors=self.errors.get(name, []),
            required=field.required,
            autocomplete=str(metadata.get("autocomplete", "off")),
            inputmode=str(metadata.get("inputmode", "")),
            rows=int(metadata.get("rows", 4)),
            offered=tuple(offered_now(metadata.get("choices", ()))),
            section=str(metadata.get("section", "")),
            language=str(metadata.get("language", "")),
        )

    def __contains__(self, name: object) -> bool:
        return name in self.schema.fields

    def __iter__(self) -> Iterator[Field]:
        return (self[name] for name in self.schema.load_fields)

    def sections(self) -> Iterator[tuple[str, Iterator[Field]]]:
        """The fields in order, grouped by section; the title is empty for fields outside any section."""
        return groupby(self, key=attrgetter("section"))

    def _to_load(self) -> dict[str, Any]:
        """What was posted in the shape that the schema loads: without blanks, lists only for list fields."""
        values: dict[str, Any] = {}
        for name, field in self.schema.load_fields.items():
            texts = [text for text in self._typed[name] if text.strip()]
            if not texts:
                continue
            if isinstance(field, Lines):
                values[name] = "\n".join(texts)
            elif isinstance(field, fields.List):
                values[name] = texts
            else:
                values[name] = texts[0]
        return values


class FormList:
    """Several forms of one schema. A button that draws the page again adds one, so no script is needed."""

    def __init__(
        self, schema_factory: Callable[[], Schema], prefix: str, minimum: int = 1, limit: int = 8
    ) -> None:
        self.prefix = prefix
        self.limit = limit
        self._schema = schema_factory()
        self.forms: list[Form] = []
        self._grow(minimum)

    def fill(self, entries: Iterable[Mapping[str, Any]]) -> "FormList":
        """Set known values, one form for each entry."""
        for number, values in enumerate(list(entries)[: self.limit]):
            self._grow(number + 1)
            self.forms[number].fill(values)
        return self

    def keep(self, typed: "MultiDict[str, Any]") -> "FormList":
        self._grow(self._highest(typed) + 1)
        for form in self.forms:
            form.keep(typed)
        return self

    def take(self, typed: "MultiDict[str, Any]") -> bool:
        """Store and validate what was posted; entries left entirely empty are skipped."""
        self.keep(typed)
        # A list, not a generator: `all` would stop at the first wrong entry and leave the others unvalidated.
        results = [form.judge() for form in self.forms if not form.empty]
        return all(results)

    def add(self) -> None:
        self._grow(len(self.forms) + 1)

    @property
    def add_name(self) -> str:
        return f"{self.prefix}.add"

    def asked_to_add(self, typed: "MultiDict[str, Any]") -> bool:
        return self.add_name in typed

    @property
    def full(self) -> bool:
        return len(self.forms) >= self.limit

    @property
    def values(self) -> list[dict[str, Any]]:
        """The values after a successful `take`, without entries left empty."""
        return [form.values for form in self.forms if not form.empty]

    @property
    def errors(self) -> dict[str, list[str]]:
        """Every error, by the field's name on the page."""
        return {
            form.html_name(name): messages for form in self.forms for name, messages in form.errors.items()
        }

    def problems(self) -> list[Problem]:
        return error_summary(*self.forms)

    def __iter__(self) -> Iterator[Form]:
        return iter(self.forms)

    def __len__(self) -> int:
        return len(self.forms)

    def __getitem__(self, number: int) -> Form:
        return self.forms[number]

    def _grow(self, count: int) -> None:
        for number in range(len(self.forms), min(count, self.limit)):
            self.forms.append(Form(self._schema, prefix=f"{self.prefix}-{number}"))

    def _highest(self, typed: "MultiDict[str, Any]") -> int:
        """The number of the last entry posted, or -1. Our pages never post one beyond `limit`; `_grow` stops there."""
        pattern = re.compile(re.escape(self.prefix) + r"-([0-9]{1,3})\.")
        matches = (pattern.match(str(name)) for name in typed)
        return max((int(match[1]) for match in matches if match), default=-1)


def error_summary(*forms: Form | FormList) -> list[Problem]:
    """All errors of a page in its order, for the summary above the form that links to the fields."""
    return [problem for form in forms for problem in form.problems()]


def written(value: Any) -> str:
    """A value as text, the way a page contains and posts it."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)


def as_typed(field: fields.Field[Any], value: Any) -> list[str]:
    """A value as the texts that a browser would post for it from this field."""
    if isinstance(value, list | tuple | set | frozenset):
        texts = [written(item) for item in value]
        return ["\n".join(texts)] if isinstance(field, Lines) else texts
    if value is False and widget_of(field) == "checkbox":
        return []
    return [written(value)]


def widget_of(field: fields.Field[Any]) -> str:
    """The widget that the field names, or the usual one for its type."""
    inferred = next((widget for kind, widget in INFERRED_WIDGETS if isinstance(field, kind)), "text")
    return str(field.metadata.get("widget", inferred))


def in_order(names: Iterable[Any], fields_in_order: Mapping[str, Any]) -> list[Any]:
    """The names in the order of the page; marshmallow's `_schema`, which belongs to no field, comes first."""
    places = {name: number for number, name in enumerate(fields_in_order)}
    return sorted(names, key=lambda name: -1 if name == SCHEMA else places.get(name, len(places)))


def sentences(messages: Any) -> list[str]:
    """Marshmallow's nested messages as a flat list without duplicates."""
    if isinstance(messages, Mapping):
        nested = [sentence for inner in messages.values() for sentence in sentences(inner)]
    elif isinstance(messages, list | tuple):
        nested = [sentence for inner in messages for sentence in sentences(inner)]
    else:
        nested = [str(messages)]
    return list(dict.fromkeys(nested))
