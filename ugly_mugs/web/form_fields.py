"""The fields of forms: strict marshmallow fields whose metadata says how they are drawn.

The same field validates a posted page, a JSON body and a command's argument, so that each rule exists once.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from flask_babel import lazy_gettext as _
from marshmallow import ValidationError, fields, missing as absent

Words = Any
"""A `str`, or a lazy one that becomes a `str` in the language of the page."""

Choices = Sequence[tuple[Any, ...]] | Callable[[], Sequence[tuple[Any, ...]]]
"""`(value, label)` or `(value, label, hint)`, in the order drawn; a callable is called for every page."""

Widget = Literal[
    "text", "textarea", "radios", "checkboxes", "checkbox", "select",
    "date", "email", "tel", "password", "hidden",
]  # fmt: skip

UNWRITABLE = {"Cc", "Cs"}
"""Unicode categories that are removed from text: control characters (NUL among them) and lone surrogates."""

YES, NO = _("Yes"), _("No")

MOST_VALUES = 100
"""Our pages never post more values than this for one field."""


def clean(text: str, *, lines: bool) -> str:
    """Text as it is stored: NFC, line ends as "\\n", without unwritable characters and surrounding space.

    Without `lines`, line ends and tabs become single spaces.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        text = re.sub(r"[\n\t\v\f\x85\u2028\u2029]+", " ", text)
    if not text.isprintable():
        text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in UNWRITABLE)
    return unicodedata.normalize("NFC", text).strip()


class TranslatedField(fields.Field[Any]):
    """A field with lazy error messages, translated when an error is raised; marshmallow's own must be plain `str`."""

    default_error_messages = {
        "required": _("Please answer this one."),
        "null": _("Please answer this one."),
        "validator_failed": _("Please check this answer."),
    }

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        return ValidationError(str(self.error_messages[key]).format(**kwargs))


class Text(TranslatedField, fields.String):
    """Text cleaned and no longer than `longest` characters and `longest_bytes` bytes of UTF-8.

    Blank text counts as missing.
    """

    default_error_messages = {
        "required": _("Please fill this in."),
        "invalid": _("Please write this as text."),
        "invalid_utf8": _("Please write this as text."),
        "too_long": _("This is too long. Please keep it under {longest} characters."),
        "too_heavy": _("This is too long for us to keep. Please make it shorter."),
    }

    def __init__(
        self, *, longest: int, longest_bytes: int | None = None, lines: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.longest = longest
        self.longest_bytes = longest_bytes or 4 * longest
        self.lines = lines

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        if isinstance(value, str):
            # Checked before cleaning too, because normalising a very long text is slow.
            if len(value) > 4 * self.longest + 100:
                raise self.make_error("too_long", longest=self.longest)
            value = clean(value, lines=self.lines) or absent
        return super().deserialize(value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > self.longest:
            raise self.make_error("too_long", longest=self.longest)
        if len(text.encode(errors="surrogatepass")) > self.longest_bytes:
            raise self.make_error("too_heavy")
        return text


class Email(Text):
    """An e-mail address by its form; whether it belongs to the person, a code has to prove."""

    default_error_messages = {
        "not_email": _("Please check this e-mail address. It should look like name@example.org."),
    }
    SHAPE = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if ".." in text or not self.SHAPE.fullmatch(text):
            raise self.make_error("not_email")
        return text


class Day(TranslatedField, fields.Date):
    """A calendar day, YYYY-MM-DD."""

    default_error_messages = {
        "invalid": _("Please give a real date: year, month and day, like 2026-03-14."),
        "invalid_type": _("Please give a real date: year, month and day, like 2026-03-14."),
        "format": _("Please give a real date: year, month and day, like 2026-03-14."),
    }


class Whole(TranslatedField, fields.Integer):
    default_error_messages = {
        "invalid": _("Please give a whole number from {least} to {most}."),
        "too_large": _("Please give a whole number from {least} to {most}."),
    }

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)
        self.least, self.most = least, most

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        return super().make_error(key, **{**kwargs, "least": self.least, "most": self.most})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        # A page posts text, JSON has numbers. marshmallow's strict field refuses all text, its lax one takes "2.5e-42".
        if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value, re.ASCII):
            value = int(value)
        if isinstance(value, bool):
            raise self.make_error("invalid")
        number = super()._deserialize(value, attr, data, **kwargs)
        if number is None or not self.least <= number <= self.most:
            raise self.make_error("invalid")
        return number


class YesNo(TranslatedField, fields.Boolean):
    default_error_messages = {
        "required": _("Please choose one."),
        "invalid": _("Please choose yes or no."),
    }


class OneOf(Text):
    default_error_messages = {
        "required": _("Please choose one."),
        "not_offered": _("Please choose one from the list."),
    }

    def __init__(self, offered: Choices, **kwargs: Any) -> None:
        super().__init__(longest=200, **kwargs)
        self.offered = offered

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in {choice[0] for choice in offered_now(self.offered)}:
            raise self.make_error("not_offered")
        return text


class SomeOf(TranslatedField, fields.List[str]):
    """Any number of values of a list, each once, in the order of the list; at most `most` of them."""

    default_error_messages = {
        "required": _("Please choose at least one."),
        "invalid": _("Please choose from the list."),
        "not_offered": _("Please choose from the list."),
        "too_many": _("Please choose no more than {most}."),
    }

    def __init__(self, offered: Choices, *, most: int | None = None, **kwargs: Any) -> None:
        super().__init__(fields.String(), **kwargs)
        self.offered = offered
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str | None]:
        if not isinstance(value, list) or len(value) > MOST_VALUES:
            raise self.make_error("invalid")
        offered = [choice[0] for choice in offered_now(self.offered)]
        if any(not isinstance(item, str) or item not in offered for item in value):
            raise self.make_error("not_offered")
        if self.most is not None and len(set(value)) > self.most:
            raise self.make_error("too_many", most=self.most)
        if self.required and not value:
            raise self.make_error("required")
        return [item for item in offered if item in value]


class Lines(TranslatedField, fields.List[str]):
    """Several short texts: in JSON a list, on a page one text area, separated by line ends, commas or semicolons."""

    default_error_messages = {
        "required": _("Please fill this in."),
        "invalid": _("Please write one on each line."),
        "too_many": _("Please give no more than {most}."),
    }

    def __init__(self, *, longest: int, most: int, **kwargs: Any) -> None:
        super().__init__(Text(longest=longest), **kwargs)
        self.longest, self.most = longest, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str | None]:
        if isinstance(value, str):
            if len(value) > 4 * self.most * (self.longest + 2):
                raise self.make_error("too_many", most=self.most)
            value = [part for part in re.split(r"[\r\n,;]+", value) if part.strip()]
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) > self.most:
            raise self.make_error("too_many", most=self.most)
        texts = super()._deserialize(value, attr, data, **kwargs)
        # A line that held only control characters has become `missing`.
        unique = list(dict.fromkeys(text for text in texts if isinstance(text, str)))
        if self.required and not unique:
            raise self.make_error("required")
        return [*unique]


def offered_now(choices: Choices) -> Sequence[tuple[Any, ...]]:
    """The choices, from the callable if they are one."""
    return choices() if callable(choices) else choices


def drawn(
    label: Words,
    widget: Widget,
    *,
    required: bool = False,
    hint: Words | None = None,
    fallback: Any = None,
    autocomplete: str = "off",
    **more: Any,
) -> dict[str, Any]:
    """The arguments that all fields share: label and other metadata, and `fallback`, the value when it is missing.

    Browsers must not remember input (`autocomplete` is off unless set), because people share phones.
    """
    metadata = {"label": label, "widget": widget, "autocomplete": autocomplete}
    metadata |= {name: value for name, value in {"hint": hint, **more}.items() if value is not None}
    return {"metadata": metadata, **({"required": True} if required else {"load_default": fallback})}


def line(
    label: Words,
    *,
    longest: int = 200,
    longest_bytes: int | None = None,
    widget: Widget = "text",
    **shown: Any,
) -> Text:
    """One line of text; None when missing."""
    return Text(longest=longest, longest_bytes=longest_bytes, **drawn(label, widget, **shown))


def paragraph(
    label: Words, *, longest: int = 10_000, longest_bytes: int | None = None, rows: int = 6, **shown: Any
) -> Text:
    """Text of several lines; None when missing."""
    shaped = drawn(label, "textarea", rows=rows, **shown)
    return Text(longest=longest, longest_bytes=longest_bytes, lines=True, **shaped)


def lines(label: Words, *, longest: int = 100, most: int = 10, rows: int = 2, **shown: Any) -> Lines:
    """Several short texts in one box, one on each line; an empty list when missing."""
    return Lines(longest=longest, most=most, **drawn(label, "textarea", rows=rows, fallback=list, **shown))


def email(label: Words, **shown: Any) -> Email:
    """An e-mail address; None when missing."""
    return Email(longest=254, longest_bytes=320, **drawn(label, "email", inputmode="email", **shown))


def phone(label: Words, **shown: Any) -> Text:
    """A phone number as typed, which `identifiers` normalises; None when missing."""
    return Text(longest=40, **drawn(label, "tel", inputmode="tel", **shown))


def passphrase(label: Words, *, longest: int = 200, **shown: Any) -> Text:
    """A secret, which is never sent back to a page."""
    return Text(longest=longest, **drawn(label, "password", **shown))


def hidden(*, longest: int = 500, **shown: Any) -> Text:
    return Text(longest=longest, **drawn("", "hidden", **shown))


def choice(label: Words, choices: Choices, *, widget: Widget = "radios", **shown: Any) -> OneOf:
    """One of a list (`radios` or `select`); None when missing."""
    return OneOf(choices, **drawn(label, widget, choices=choices, **shown))


def choices(label: Words, offered: Choices, *, most: int | None = None, **shown: Any) -> SomeOf:
    """Any of a list; an empty list when missing."""
    return SomeOf(offered, most=most, **drawn(label, "checkboxes", choices=offered, fallback=list, **shown))


def yes_no(label: Words, *, yes: Words = YES, no: Words = NO, **shown: Any) -> YesNo:
    """Yes or no as two radio buttons, neither preselected; None when missing."""
    return YesNo(**drawn(label, "radios", choices=(("yes", yes), ("no", no)), **shown))


def tick(label: Words, **shown: Any) -> YesNo:
    """One checkbox; False when it is not ticked."""
    return YesNo(**drawn(label, "checkbox", **{"fallback": False, **shown}))


def day(label: Words, **shown: Any) -> Day:
    """A calendar day; None when missing."""
    return Day(**drawn(label, "date", **shown))


def whole(label: Words, *, least: int, most: int, **shown: Any) -> Whole:
    """A whole number; None when missing."""
    return Whole(least=least, most=most, **drawn(label, "text", inputmode="numeric", **shown))
