"""The small forms of the receipt pages."""

from flask_babel import lazy_gettext as _
from marshmallow import Schema

from ugly_mugs.web.form_fields import line, paragraph


class ReceiptSchema(Schema):
    receipt = line(
        _("Your seven words, or the 28 digits"),
        longest=400,
        required=True,
        hint=_("Capitals, spaces and hyphens do not matter."),
    )


class MessageSchema(Schema):
    text = paragraph(_("Write to us"), longest=5_000, longest_bytes=15_000, rows=4, required=True)
