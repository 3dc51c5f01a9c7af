"""The two forms of a redaction: which words to hide, and the text that is left."""

from typing import Final

from flask_babel import lazy_gettext as _
from marshmallow import Schema

from ugly_mugs.web.form_fields import Whole, choice, drawn, paragraph

EVERYWHERE, FIRST = "everywhere", "first"
LONGEST_TEXT: Final = 60_000
_MOST_VERSIONS: Final = 1_000_000


def version() -> Whole:
    """The version of the redaction that the page shows; 0 when there was none yet."""
    return Whole(least=0, most=_MOST_VERSIONS, **drawn("", "hidden", fallback=0))


class HideSchema(Schema):
    version = version()
    words = paragraph(
        _("More words to hide"),
        longest=10_000,
        rows=3,
        hint=_("Copy them from the account, or type them. Each line on its own."),
    )
    where = choice(
        _("Where?"),
        ((EVERYWHERE, _("Everywhere they stand")), (FIRST, _("Only the first place that is not hidden yet"))),
        fallback=EVERYWHERE,
    )


class SettleSchema(Schema):
    version = version()
    text = paragraph(
        _("What alerts may be made from"),
        longest=LONGEST_TEXT,
        longest_bytes=LONGEST_TEXT,
        rows=14,
        required=True,
        hint=_("You can take words out, not put any in. The wording of an alert comes later."),
    )
