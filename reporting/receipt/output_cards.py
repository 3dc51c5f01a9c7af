"""What a reporter sees of the outputs made from their report."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import format_date, gettext as _, lazy_gettext

from reporting.record import outputs
from reporting.record.models import LIVE_OUTPUTS, Output, OutputState
from ugly_mugs.web.form_fields import Words

PREVIEW_LABELS: Mapping[str, Any] = {
    "sms": lazy_gettext("As a text message"),
    "email": lazy_gettext("As an e-mail"),
    "page": lazy_gettext("On the page that members read"),
}


class SeenOutput(NamedTuple):
    """One output on the reporter's page; `mark` stands for exactly the texts shown."""

    id: UUID
    mark: str
    says: Words
    texts: list[tuple[str, str]]
    may_hold: bool
    may_let_go: bool


def as_seen(output: Output, *, content_key: bytes) -> SeenOutput:
    """The output in plain words."""
    texts = outputs.preview_of(output, content_key=content_key) if output.state in outputs.SHOWN else {}
    return SeenOutput(
        id=output.id,
        mark=outputs.mark_of(output),
        says=_says(output),
        texts=[(str(PREVIEW_LABELS.get(name, name)), text) for name, text in texts.items()],
        may_hold=output.state in LIVE_OUTPUTS and not output.held,
        may_let_go=output.state in outputs.SHOWN and output.held,
    )


def _says(output: Output) -> Words:
    if output.state is OutputState.PROPOSED:
        if output.held:
            return _(
                "A warning is being written. It waits: when its words are settled, you will see it here."
            )
        return _("A warning is being written. Two people have to agree on its words before it leaves.")
    if output.state is OutputState.APPROVED:
        if output.held:
            return _("This warning is ready. It waits for you and will not leave before you let it go.")
        if output.not_before is not None:
            day = format_date(output.not_before, "long")
            return _("This warning is ready. It will not leave before %(day)s.", day=day)
        return _("This warning is ready and leaves soon.")
    if output.state is OutputState.RELEASED:
        if output.held:
            return _("You stopped this warning. What had left cannot be called back; nothing more leaves.")
        return _("This warning is on its way. What has left cannot be called back.")
    if output.state is OutputState.WITHDRAWN:
        return _("This warning was taken back because you changed what you allow. Nothing more leaves.")
    return _("This warning has ended.")
