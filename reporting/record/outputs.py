"""Outputs: everything made from a report, with its consent, the reporter's hold and the reporter's preview.

`subject_id` identifies one text that is sent, so for an alert it is the *version*: each version is proposed, approved,
shown to the reporter and released separately. Higher layers call these functions in the transaction of their own
change. A message may be claimed for sending only with `state = released`, `not held` and the approved consent version.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from reporting.record import consents as consent_records
from reporting.record.consents import Consent, Consents
from reporting.record.endings import notify_output_ended
from reporting.record.models import LIVE_OUTPUTS, OUTPUT_MOVES, Output, OutputKind, OutputState, Report
from reporting.record.output_kinds import spec_of
from ugly_mugs.database.engine import db
from ugly_mugs.database.sealed_json import SealedJson
from ugly_mugs.errors import Conflict
from ugly_mugs.vault import symmetric
from ugly_mugs.vault.padding import TEXT

SHOWN = frozenset({OutputState.APPROVED, OutputState.RELEASED})
"""States in which the reporter sees the texts; before approval a text may still change."""

PREVIEWS: Final[SealedJson[Mapping[str, str]]] = SealedJson(
    "outputs", "preview", sizes=TEXT, dump=dict, load={1: dict}
)


def propose(
    *,
    report: Report,
    kind: OutputKind,
    subject_id: UUID,
    preview: Mapping[str, str],
    content_key: bytes,
    consents: Consents,
) -> Output:
    """Create or update the output for one text. `preview` holds the texts that the reporter will see.

    Raises Conflict when the reporter has not consented. A text edited after its approval becomes PROPOSED again, and
    is held again when the reporter asked to see it first. A hold that the reporter set is never lifted here; a new
    output of the same kind inherits it.
    """
    if not consents.given(spec_of(kind).rests_on):
        raise Conflict(_("The person who reported this has not agreed to it."))
    output = of_subject(kind, subject_id)
    if output is None:
        output = Output(
            id=uuid4(), report_id=report.id, kind=kind, subject_id=subject_id, state=OutputState.PROPOSED,
            consent_version=1, held=_is_on_hold(report.id, kind),
        )  # fmt: skip
        db.session.add(output)
    elif output.state is not OutputState.PROPOSED:
        _move(output, OutputState.PROPOSED)
    output.held = output.held or consents.wants_to_see_first
    output.not_before = consents.earliest
    output.preview = PREVIEWS.seal(preview, row=output.id, sealer=partial(symmetric.seal, content_key))
    return output


def change_consents(
    report: Report, *, former: Consents, new: Consents, content_key: bytes, day: date
) -> list[Output]:
    """Seal the new consents and update the outputs that depend on a changed one; return the live outputs among these.

    Their consent version rises, which voids approvals under the former consent. When the consent is withdrawn, the
    output is withdrawn. The caller's transaction must hold a lock on the report's row.
    """
    report.consents = consent_records.seal(new, report_id=report.id, content_key=content_key)
    report.consents_version += 1
    report.changed_on = day
    changed = {consent for consent in Consent if new.terms(consent) != former.terms(consent)}
    rests_on = {output: spec_of(output.kind).rests_on for output in of_report(report.id, lock=True)}
    affected = [output for output, consent in rests_on.items() if consent in changed]
    live = [output for output in affected if output.state in LIVE_OUTPUTS]
    for output in affected:
        if new.given(rests_on[output]) and output.state is not OutputState.WITHDRAWN:
            # A hold for "after I have seen it" ends with that choice. A hold that the reporter set themselves stays;
            # an ended output keeps it for its successor.
            output.held = new.wants_to_see_first or (output.held and not former.wants_to_see_first)
    for output in live:
        output.consent_version += 1
        output.not_before = new.earliest
        if not new.given(rests_on[output]):
            OUTPUT_MOVES.move(output, OutputState.WITHDRAWN)
            output.preview = None
            notify_output_ended(output)
        elif output.state is OutputState.APPROVED:
            # The approval was for the former consent, so the output has to be approved again.
            OUTPUT_MOVES.move(output, OutputState.PROPOSED)
    return live


def approve(output: Output, *, seen_version: int) -> None:
    """Two people agreed. Raises Conflict when the consent changed since the approver saw `seen_version`.

    An output whose reporter asked to see it first is already held, until `lift_hold`.
    """
    _lock(output)
    if output.consent_version != seen_version:
        raise Conflict(_("The person who reported this changed what they agreed to. Please look again."))
    _move(output, OutputState.APPROVED)


def release(output: Output, *, approved_version: int) -> None:
    """Sending begins; Conflict while it is held, or when the consent changed since the approval.

    `not_before` is not checked here.
    """
    _lock(output)
    if output.state not in SHOWN or output.held or output.consent_version != approved_version:
        raise Conflict(_("The person who reported this has held it, or changed what they agreed to."))
    if output.state is not OutputState.RELEASED:
        _move(output, OutputState.RELEASED)


def end(output: Output) -> None:
    """It expired, was cancelled by the desk, or was replaced by another version; no effect when it is not live."""
    _lock(output)
    if output.state in LIVE_OUTPUTS:
        _move(output, OutputState.ENDED)


def lift_hold(output: Output, *, seen_digest: str) -> None:
    """The reporter allows the texts to be sent. `seen_digest` is the `preview_digest` of the texts they saw.

    Conflict when the texts changed since, or are not shown in this state.
    """
    _lock(output)
    if output.state not in SHOWN or not hmac.compare_digest(preview_digest(output), seen_digest):
        raise Conflict(_("This has changed since you looked. Please look at it again."))
    output.held = False
    # Earlier outputs that ended while held must not pass their hold on any more.
    for former in _held(output.report_id, output.kind):
        if former.state is OutputState.ENDED:
            former.held = False


def hold(output: Output) -> None:
    """The reporter stops sending until `lift_hold`; Conflict when the output is not live."""
    _lock(output)
    if output.state not in LIVE_OUTPUTS:
        raise Conflict(_("This has ended, so there is nothing left to hold."))
    output.held = True


def preview_digest(output: Output) -> str:
    """Differs whenever the texts are sealed again, so that a reporter can only release texts that they saw."""
    return hashlib.sha256(output.preview or b"").hexdigest()[:32]


def of_report(report_id: UUID, *, lock: bool = False) -> Sequence[Output]:
    query = sa.select(Output).where(Output.report_id == report_id).order_by(Output.id)
    return db.session.scalars(query.with_for_update() if lock else query).all()


def of_subject(kind: OutputKind, subject_id: UUID) -> Output | None:
    """The output of one text, or None; its row is locked until the transaction ends."""
    query = sa.select(Output).where(Output.kind == kind, Output.subject_id == subject_id)
    return db.session.scalars(query.with_for_update()).one_or_none()


def preview_of(output: Output, *, content_key: bytes) -> Mapping[str, str]:
    """The texts for the reporter by name; empty when they are deleted."""
    if output.preview is None:
        return {}
    return PREVIEWS.open(output.preview, row=output.id, opener=partial(symmetric.open_sealed, content_key))


def _is_on_hold(report_id: UUID, kind: OutputKind) -> bool:
    """Whether a live or ended output of this kind is held, and so a new one must be held too."""
    return any(output.state is not OutputState.WITHDRAWN for output in _held(report_id, kind))


def _held(report_id: UUID, kind: OutputKind) -> Sequence[Output]:
    query = sa.select(Output).where(Output.report_id == report_id, Output.kind == kind, Output.held)
    return db.session.scalars(query.with_for_update()).all()


def _lock(output: Output) -> None:
    """Lock the row until the transaction ends, and read its current values."""
    db.session.flush()
    db.session.refresh(output, with_for_update=True)


def _move(output: Output, wanted: OutputState) -> None:
    if not OUTPUT_MOVES.allows(output.state, wanted):
        raise Conflict(_("This has ended, or the person who reported it does not want it to leave any more."))
    OUTPUT_MOVES.move(output, wanted)
