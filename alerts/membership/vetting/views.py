"""The page on which member admins decide who gets warnings."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request
from flask_babel import format_date

from alerts.membership import choices, queries
from alerts.membership.models import Member, MemberState
from alerts.membership.sign_in.services import locked_member
from alerts.membership.vetting import services as decisions
from ugly_mugs.accounts.guard import Permission, current_staff, staff
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.database.engine import db
from ugly_mugs.errors import NotAllowed, NotThere, or_not_there
from ugly_mugs.outbox.models import AddressState, Channel
from ugly_mugs.runtime import runtime
from ugly_mugs.text.places import REGIONS
from ugly_mugs.vault import CannotOpen, PrivateKey, Where
from ugly_mugs.web.redirects import see_other

vetting = Blueprint("vetting", __name__, url_prefix="/admin/members")

SHOWN: Mapping[str, Collection[MemberState]] = {
    "waiting": {MemberState.APPLIED},
    "members": queries.LISTED_AS_MEMBERS,
    "rejected": {MemberState.REJECTED},
}
"""The lists of the page."""

DECISIONS: Mapping[str, tuple[Callable[..., None], str]] = {
    "accept": (decisions.accept, "accepted"),
    "reject": (decisions.reject, "rejected"),
    "pause": (decisions.pause, "paused"),
    "resume": (decisions.resume, "resumed"),
}
"""What is done with a member, by the last part of its address, and what the page then reports."""


@dataclass(frozen=True)
class Row:
    """One application or member as the page shows it; `name` is None when the reader's key does not open it."""

    member: Member
    name: str | None
    kind: str
    regions: str
    sectors: str
    since: str
    reached_by: list[tuple[Channel, AddressState]]


@vetting.get("")
@staff(Permission.VET)
def members_page() -> str:
    show = request.args.get("show", "waiting")
    page = max(request.args.get("page", 1, type=int), 1)
    if show not in SHOWN or page > 10_000:
        raise NotThere
    members, more = queries.members_in(SHOWN[show], page=page)
    return render_template(
        "alerts/membership/vetting/vetting.html",
        rows=_rows(members),
        show=show,
        page=page,
        more=more,
        waiting=queries.count_applications(),
        done=request.args.get("done", ""),
        MemberState=MemberState,
        Channel=Channel,
        AddressState=AddressState,
    )


def _rows(members: Sequence[Member]) -> list[Row]:
    keys = _vetting_keys({member.epoch_id for member in members})
    addresses = queries.addresses_of(member.id for member in members)
    sectors = dict(choices.SECTORS)
    return [
        Row(
            member=member,
            name=_name_of(member, keys.get(member.epoch_id)),
            kind=str(choices.KIND_NAMES[member.kind]),
            regions=", ".join(sorted(REGIONS[place.region].name for place in member.regions)),
            sectors=", ".join(str(sectors[work.sector.value]) for work in member.sectors),
            since=format_date(member.applied_on, "d MMMM y"),
            reached_by=sorted(addresses[member.id].items(), key=lambda pair: pair[0].value),
        )
        for member in members
    ]


def _vetting_keys(epoch_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, PrivateKey]:
    """The vetting keys that the signed-in person can open, by epoch."""
    me, keys = current_staff(), {}
    for epoch_id in epoch_ids:
        try:
            keys[epoch_id] = epochs.private_for(me.id, me.key, epoch_id)
        except NotAllowed:
            continue
    return keys


def _name_of(member: Member, key: PrivateKey | None) -> str | None:
    if key is None or member.working_name is None:
        return None
    try:
        return key.open(member.working_name, Where("members", "working_name", member.id)).decode()
    except CannotOpen:
        return None


@vetting.post("/<uuid:member_id>/<any(accept, reject, pause, resume):decision>")
@staff(Permission.VET)
def decide(member_id: uuid.UUID, decision: str) -> Response:
    service, done = DECISIONS[decision]
    service(
        member=or_not_there(locked_member(member_id)), by_id=current_staff().id, now=runtime().clock.now()
    )
    return _done(done)


@vetting.get("/<uuid:member_id>/remove")
@staff(Permission.VET)
def remove_page(member_id: uuid.UUID) -> str:
    """Asks for confirmation, because removing cannot be undone."""
    member = db.session.get(Member, member_id)
    if member is None or member.state is MemberState.REMOVED:
        raise NotThere
    return render_template("alerts/membership/vetting/remove.html", row=_rows([member])[0])


@vetting.post("/<uuid:member_id>/remove")
@staff(Permission.VET)
def remove(member_id: uuid.UUID) -> Response:
    decisions.remove(
        vault=runtime().vault,
        member=or_not_there(locked_member(member_id)),
        by_id=current_staff().id,
        now=runtime().clock.now(),
    )
    return _done("removed")


def _done(decision: str) -> Response:
    """Commit, and go back to the list on which the decision was made."""
    db.session.commit()
    show = request.form.get("show", "waiting")
    shown = show if show in SHOWN else "waiting"
    return see_other("vetting.members_page", show=shown, done=decision)
