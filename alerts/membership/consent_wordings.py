"""The exact wording members agree to, with its version; any change of the text needs a new version number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _

from ugly_mugs.outbox.models import Channel


@dataclass(frozen=True)
class Wording:
    version: int
    text: Any


WORDINGS: Final[Mapping[Channel, Wording]] = {
    Channel.SMS: Wording(
        1, _("Yes, send warnings to my mobile by text. I can stop this at any time by replying STOP.")
    ),
    Channel.EMAIL: Wording(
        1,
        _("Yes, send warnings to my e-mail address. I can stop this at any time with the link in each one."),
    ),
}
