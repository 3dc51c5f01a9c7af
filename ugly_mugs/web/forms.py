"""Forms drawn and judged by one marshmallow schema; what a person typed is kept exactly, whatever happens.

The kinds of question a schema may hold are in `questions`; `templates/macros/fields.html` draws them.
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

from ugly_mugs.web.form_fields import MOST_ANSWERS, Lines, offered_now

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
    """One line of the summary above a form: where to go, what is asked there, what is wrong."""

    id: str
    label: str
    message: str


@dataclass(frozen=True)
class Field:
    """One question as drawn: its words, what was typed, and what is wrong with that."""

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
        """What to draw in the box; a password never returns to the page."""
        return "" if self.widget == "password" or not self.values else self.values[0]

    @property
    def group(self) -> bool:
        """Whether this is a fieldset of several inputs."""
        return self.widget in GROUPS

    @property
    def hint_id(self) -> str:
        return f"{self.id}-hint"

    @property
    def error_id(self) -> str:
        return f"{self.id}-error"

    @property
    def described_by(self) -> str:
        """The ids of what explains this field, for `aria-describedby`; empty when nothing does."""
        return " ".join([self.hint_id] * bool(self.hint) + [self.error_id] * bool(self.errors))

    @cached_property
    def choices(self) -> list[Option]:
        """The choices; the first carries the field's own id, so that a link to the field lands on it."""
        return [
            Option(
                value=(value := written(each[0])),
                label=str(each[1]),
                hint=str(each[2]) if len(each) > 2 else "",
                id=f"{self.id}-{number}" if number else self.id,
                chosen=value in self.values,
            )
            for number, each in enumerate(self.offered)
        ]


class Form:
    """One section of questions. Draw it empty, or `fill` it, or `take` what was typed."""

    def __init__(self, schema: Schema, *, prefix: str = "") -> None:
        self.schema = schema
        self.prefix = prefix
        self.values: dict[str, Any] = {}
        self.errors: dict[str, list[str]] = {}
        self._typed: dict[str, list[str]] = {}

    def fill(self, values: Mapping[str, Any]) -> "Form":
        """Draw with what is already known; names the schema does not have are ignored."""
        for name, field in self.schema.fields.items():
            if values.get(name) is not None:
                self._typed[name] = as_typed(field, values[name])
        return self

    def keep(self, typed: "MultiDict[str, Any]") -> "Form":
        """Remember what was typed without judging it, to draw the page again."""
        self.errors, self.values = {}, {}
        self._typed = {
            name: [str(each) for each in typed.getlist(self.html_name(name))[: MOST_ANSWERS + 1]]
            for name in self.schema.load_fields
        }
        return self

    def take(self, typed: "MultiDict[str, Any]") -> bool:
        """Keep and judge what was typed: True, with `values`, when all is well; else `errors` tells."""
        return self.keep(typed).judge()

    def judge(self) -> bool:
        """Judge what was kept, as `take` does."""
        try:
            loaded = self.schema.load(self._answers())
        except ValidationError as refusal:
            found = refusal.messages_dict
            self.errors = {str(name): sentences(found[name]) for name in in_order(found, self.schema.fields)}
            return False
        self.values = dict(loaded)
        return True

    def refuse(self, name: str, message: Any) -> None:
        """Add what a service found wrong with a taken form."""
        self.errors.setdefault(name, []).append(str(message))

    @property
    def empty(self) -> bool:
        """Whether nothing was typed or filled in that a person can see."""
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

    def problems(self) -> Iterator[Problem]:
        """What is wrong, in the order of the page; a problem of the whole leads to its first question."""
        for name, messages in self.errors.items():
            known = name in self.schema.fields
            target = name if known else next(iter(self.schema.fields), name)
            label = str(self.schema.fields[name].metadata.get("label", name)) if known else ""
            for message in messages:
                yield Problem(self.html_id(target), label, message)

    def __getitem__(self, name: str) -> Field:
        field = self.schema.fields[name]
        says = field.metadata
        return Field(
            name=self.html_name(name),
            id=self.html_id(name),
            label=str(says.get("label", name)),
            hint=str(says.get("hint", "")),
            widget=widget_of(field),
            values=self._typed.get(name, []),
            errors=self.errors.get(name, []),
            required=field.required,
            autocomplete=str(says.get("autocomplete", "off")),
            inputmode=str(says.get("inputmode", "")),
            rows=int(says.get("rows", 4)),
            offered=tuple(offered_now(says.get("choices", ()))),
            section=str(says.get("section", "")),
            language=str(says.get("language", "")),
        )

    def __contains__(self, name: object) -> bool:
        return name in self.schema.fields

    def __iter__(self) -> Iterator[Field]:
        return (self[name] for name in self.schema.load_fields)

    def sections(self) -> Iterator[tuple[str, Iterator[Field]]]:
        """The fields as `__iter__` gives them, those of one section together under its title."""
        return groupby(self, key=attrgetter("section"))

    def _answers(self) -> dict[str, Any]:
        """What was typed as the schema wants it: blanks left out, lists only where lists are asked for."""
        answers: dict[str, Any] = {}
        for name, field in self.schema.load_fields.items():
            texts = [text for text in self._typed[name] if text.strip()]
            if not texts:
                continue
            if isinstance(field, Lines):
                answers[name] = "\n".join(texts)
            elif isinstance(field, fields.List):
                answers[name] = texts
            else:
                answers[name] = texts[0]
        return answers


class FormList:
    """The same section several times over, grown without scripts by a button that draws the page again."""

    def __init__(
        self, schema_factory: Callable[[], Schema], prefix: str, minimum: int = 1, limit: int = 8
    ) -> None:
        self.prefix = prefix
        self.limit = limit
        self._schema = schema_factory()
        self.forms: list[Form] = []
        self._grow(minimum)

    def fill(self, entries: Iterable[Mapping[str, Any]]) -> "FormList":
        """Draw with what is already known, one form for each entry."""
        for number, values in enumerate(list(entries)[: self.limit]):
            self._grow(number + 1)
            self.forms[number].fill(values)
        return self

    def keep(self, typed: "MultiDict[str, Any]") -> "FormList":
        """Remember what was typed without judging it."""
        self._grow(self._highest(typed) + 1)
        for form in self.forms:
            form.keep(typed)
        return self

    def take(self, typed: "MultiDict[str, Any]") -> bool:
        """Keep and judge what was typed; entries left entirely empty are neither judged nor counted."""
        self.keep(typed)
        # Every entry is judged, also those behind one that is wrong.
        judged = [form.judge() for form in self.forms if not form.empty]
        return all(judged)

    def add(self) -> None:
        """One more empty entry, unless there are as many as allowed."""
        self._grow(len(self.forms) + 1)

    @property
    def add_name(self) -> str:
        """The name of the button that asks for one more."""
        return f"{self.prefix}.add"

    def asked_to_add(self, typed: "MultiDict[str, Any]") -> bool:
        """Whether the person pressed the button for one more."""
        return self.add_name in typed

    @property
    def full(self) -> bool:
        return len(self.forms) >= self.limit

    @property
    def values(self) -> list[dict[str, Any]]:
        """What a good `take` found, without the entries left empty."""
        return [form.values for form in self.forms if not form.empty]

    @property
    def errors(self) -> dict[str, list[str]]:
        """Every error, by the name its field has on the page."""
        return {
            form.html_name(name): messages for form in self.forms for name, messages in form.errors.items()
        }

    def problems(self) -> Iterator[Problem]:
        for form in self.forms:
            yield from form.problems()

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
        """The highest entry posted, or -1; numbers beyond the limit come from no page of ours."""
        pattern = re.compile(re.escape(self.prefix) + r"-([0-9]{1,3})\.")
        found = (pattern.match(str(name)) for name in typed)
        return max((int(each[1]) for each in found if each), default=-1)


def error_summary(*forms: Form | FormList) -> list[Problem]:
    """Everything wrong on a page, in its order, for the box above the form whose links lead to the fields."""
    return [problem for form in forms for problem in form.problems()]


def written(value: Any) -> str:
    """A known value as the text a page carries for it."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)


def as_typed(field: fields.Field[Any], value: Any) -> list[str]:
    """A known value as if it had been typed into this field's own kind of box."""
    if isinstance(value, list | tuple | set | frozenset):
        texts = [written(each) for each in value]
        return ["\n".join(texts)] if isinstance(field, Lines) else texts
    if value is False and widget_of(field) == "checkbox":
        return []
    return [written(value)]


def widget_of(field: fields.Field[Any]) -> str:
    """How a field is drawn: as it says, or as its kind suggests."""
    inferred = next((widget for kind, widget in INFERRED_WIDGETS if isinstance(field, kind)), "text")
    return str(field.metadata.get("widget", inferred))


def in_order(found: Mapping[Any, Any], fields_in_order: Mapping[str, Any]) -> list[Any]:
    """The names of `found` as the page shows them; what belongs to no field comes first."""
    places = {name: number for number, name in enumerate(fields_in_order)}
    return sorted(found, key=lambda name: -1 if name == SCHEMA else places.get(name, len(places)))


def sentences(found: Any) -> list[str]:
    """Marshmallow's nested messages as flat sentences, each once."""
    if isinstance(found, Mapping):
        nested = [each for inner in found.values() for each in sentences(inner)]
    elif isinstance(found, list | tuple):
        nested = [each for inner in found for each in sentences(inner)]
    else:
        nested = [str(found)]
    return list(dict.fromkeys(nested))
