"""The small forms of a report's page at the desk."""

from flask_babel import lazy_gettext as _
from marshmallow import Schema

from ugly_mugs.web.form_fields import paragraph


class ReplySchema(Schema):
    text = paragraph(
        _("Write to the reporter"),
        longest=5_000,
        longest_bytes=15_000,
        rows=4,
        required=True,
        hint=_("They read it when they come back with their receipt. Nothing is sent to a phone."),
    )


class FinishSchema(Schema):
    message = paragraph(
        _("What the reporter reads"),
        longest=5_000,
        longest_bytes=15_000,
        rows=5,
        hint=_("A proposal. Change it as you like, or empty it to say nothing."),
    )
