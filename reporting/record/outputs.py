"""Outputs: everything made from a report, with its consent, the reporter's hold, and what the reporter may see.

`subject_id` names one text that leaves, so for an alert it is the *version*: each version is proposed, approved,
shown to the reporter and released by itself. Higher layers call these in the transaction of their own change, and
whatever claims a message asks for `state = released`, `not held` and the consent version that was approved.
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
from reporting.record.endings import output_ends
from reporting.record.models import LIVE_OUTPUTS, OUTPUT_MOVES, Output, OutputKind, OutputState, Report
from reporting.record.output_kinds import spec_of
from ugly_mugs.database.engine import db
from ugly_mugs.database.sealed_json import SealedJson
from ugly_mugs.errors import Conflict
from ugly_mugs.vault import symmetric
from ugly_mugs.vault.padding import TEXT

SHOWN = frozenset({OutputState.APPROVED, OutputState.RELEASED})
"""States in which the reporter sees the texts; before its approval a text may still change."""

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
    """Something is being made from the report, or its text was edited. `preview` is what the reporter will see.

    Raises Conflict when the reporter has not agreed. A text edited after its approval is proposed again, and a
    reporter who asked to see it first is asked again; a hold of the reporter's own is never lifted here, and goes
    over to whatever the desk makes instead of what they held.
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
    """Seal what holds from now on; the outputs that rest on a changed consent are raised, held or ended.

    Their consent version rises, so that what was approved under the former consent does not leave; where the consent
    is gone the output ends. Returns the outputs it touched. The caller's transaction must hold the report's row.
    """
    report.consents = consent_records.seal(new, report_id=report.id, content_key=content_key)
    report.consents_version += 1
    report.changed_on = day
    changed = {consent for consent in Consent if new.terms(consent) != former.terms(consent)}
    rests_on = {output: spec_of(output.kind).rests_on for output in _locked_of_report(report.id)}
    resting = [output for output, consent in rests_on.items() if consent in changed]
    touched = [output for output in resting if output.state in LIVE_OUTPUTS]
    for output in resting:
        if new.given(rests_on[output]) and output.state is not OutputState.WITHDRAWN:
            # A hold set because the reporter asked to see it goes with that wish; one they set themselves stays, and
            # that of an ended one goes over to its successor.
            output.held = new.wants_to_see_first or (output.held and not former.wants_to_see_first)
    for output in touched:
        output.consent_version += 1
        output.not_before = new.earliest
        if not new.given(rests_on[output]):
            OUTPUT_MOVES.move(output, OutputState.WITHDRAWN)
            output.preview = None
            output_ends(output)
        elif output.state is OutputState.APPROVED:
            # The approval was given to what the reporter allowed before; somebody has to look again.
            OUTPUT_MOVES.move(output, OutputState.PROPOSED)
    return touched


def approve(output: Output, *, seen_version: int) -> None:
    """Two people agreed. Raises Conflict when the reporter changed their mind since the approver looked.

    An output whose reporter asked to see it first is held already, and stays so until `let_go`.
    """
    _lock(output)
    if output.consent_version != seen_version:
        raise Conflict(_("The person who reported this changed what they agreed to. Please look again."))
    _move(output, OutputState.APPROVED)


def may_leave(output: Output, *, approved_version: int) -> bool:
    """Whether nothing on the reporter's side stands in the way. Time is not asked here."""
    return (
        output.state in (OutputState.APPROVED, OutputState.RELEASED)
        and not output.held
        and output.consent_version == approved_version
    )


def release(output: Output, *, approved_version: int) -> None:
    """It begins to leave; Conflict while it is held, or when the consent moved since the approval."""
    _lock(output)
    if not may_leave(output, approved_version=approved_version):
        raise Conflict(_("The person who reported this has held it, or changed what they agreed to."))
    if output.state is not OutputState.RELEASED:
        _move(output, OutputState.RELEASED)


def end(output: Output) -> None:
    """It expired, was cancelled by the desk, or another version took its place; an ended one stays as it is."""
    _lock(output)
    if output.state in LIVE_OUTPUTS:
        _move(output, OutputState.ENDED)


def let_go(output: Output, *, seen_mark: str) -> None:
    """The reporter has seen the approved texts, of which `mark_of` gave this mark, and lets them leave."""
    _lock(output)
    if output.state not in SHOWN or not hmac.compare_digest(mark_of(output), seen_mark):
        raise Conflict(_("This has changed since you looked. Please look at it again."))
    output.held = False
    # What they held before this one is over, and its hold with it.
    for former in _held(output.report_id, output.kind):
        if former.state is OutputState.ENDED:
            former.held = False


def hold(output: Output) -> None:
    """The reporter stops it: nothing leaves, or nothing more, until they let it go."""
    _lock(output)
    if output.state not in LIVE_OUTPUTS:
        raise Conflict(_("This has ended, so there is nothing left to hold."))
    output.held = True


def mark_of(output: Output) -> str:
    """Changes whenever the texts are written anew, so that nobody lets go what they have not seen."""
    return hashlib.sha256(output.preview or b"").hexdigest()[:32]


def of_report(report_id: UUID) -> Sequence[Output]:
    """Every output of the report."""
    return db.session.scalars(
        sa.select(Output).where(Output.report_id == report_id).order_by(Output.id)
    ).all()


def of_subject(kind: OutputKind, subject_id: UUID) -> Output | None:
    """The output of one text, locked until the transaction ends."""
    query = sa.select(Output).where(Output.kind == kind, Output.subject_id == subject_id)
    return db.session.scalars(query.with_for_update()).one_or_none()


def preview_of(output: Output, *, content_key: bytes) -> Mapping[str, str]:
    """What the reporter may see of it; empty once it is gone."""
    if output.preview is None:
        return {}
    return PREVIEWS.open(output.preview, row=output.id, opener=partial(symmetric.open_sealed, content_key))


def _is_on_hold(report_id: UUID, kind: OutputKind) -> bool:
    """Whether the reporter holds, or held to its end, anything of this kind and has let nothing go since."""
    return any(each.state is not OutputState.WITHDRAWN for each in _held(report_id, kind))


def _held(report_id: UUID, kind: OutputKind) -> Sequence[Output]:
    query = sa.select(Output).where(Output.report_id == report_id, Output.kind == kind, Output.held)
    return db.session.scalars(query.with_for_update()).all()


def _lock(output: Output) -> None:
    """Nobody else changes this row until the transaction ends, and what is read now is how it stands."""
    db.session.flush()
    db.session.refresh(output, with_for_update=True)


def _move(output: Output, wanted: OutputState) -> None:
    if not OUTPUT_MOVES.allows(output.state, wanted):
        raise Conflict(_("This has ended, or the person who reported it does not want it to leave any more."))
    OUTPUT_MOVES.move(output, wanted)


def _locked_of_report(report_id: UUID) -> Sequence[Output]:
    query = sa.select(Output).where(Output.report_id == report_id)
    return db.session.scalars(query.order_by(Output.id).with_for_update()).all()
