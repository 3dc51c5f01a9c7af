"""Invented members for a try-out, and two applications for the member admins."""

from collections.abc import Sequence
from datetime import timedelta

from alerts.membership.joining import services as joining
from alerts.membership.joining.services import FORM, Application
from alerts.membership.models import Level, Member, MemberState, Sector
from alerts.membership.preferences import services as preferences
from alerts.membership.proving import HANDLERS
from alerts.membership.vetting import services as vetting
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import EpochKind, MemberKind
from ugly_mugs.database.engine import db
from ugly_mugs.operations.demo import Scene
from ugly_mugs.outbox import addresses
from ugly_mugs.outbox.inbound import handovers
from ugly_mugs.outbox.models import Channel
from ugly_mugs.runtime import runtime

_ONLINE, _STREET, _PARLOUR = Sector.ONLINE, Sector.STREET, Sector.PARLOUR

# Invented people; the numbers are Ofcom's for drama. All agree to be woken for danger, so that a try-out at night
# also shows a warning arriving.
MEMBERS: Sequence[tuple[str, str | None, str | None, tuple[str, ...], Sector, Level]] = (
    ("Ash", "+447700900101", None, ("yorkshire-humber", "north-east"), _ONLINE, Level.NEUTRAL),
    ("Bryn", "+447700900102", "bryn@example.org", ("wales", "south-west"), _PARLOUR, Level.FULL),
    ("Cleo", None, "cleo@example.org", ("london", "south-east"), _STREET, Level.NEUTRAL),
    ("Drew", "+447700900103", None, ("yorkshire-humber", "london"), _ONLINE, Level.FULL),
)
WAITING: Sequence[tuple[str, str | None, str | None, tuple[str, ...], Sector, Level]] = (
    ("Eden", "+447700900104", None, ("scotland",), _ONLINE, Level.NEUTRAL),
    ("Flo", None, "flo@example.org", ("leinster", "munster"), Sector.OTHER, Level.NEUTRAL),
)


def invent_members(scene: Scene) -> None:
    """Members who applied three days ago and were accepted by carol, and applicants; every address is proved."""
    for applicant in (*MEMBERS, *WAITING):
        _apply(scene, *applicant)
    # The worker sees only committed handovers.
    db.session.commit()
    # No worker runs while a try-out is set up, so its part is done here.
    vault = runtime().become_worker()
    handovers.apply_waiting(vault=vault, handlers=HANDLERS, now=scene.now)
    accepted = {typed for _name, phone, email, *_rest in MEMBERS for typed in (phone, email) if typed}
    for name, phone, email, *_rest in (*MEMBERS, *WAITING):
        for channel, typed in ((Channel.SMS, phone), (Channel.EMAIL, email)):
            address = typed and addresses.find(vault=vault, channel=channel, address=typed)
            if not address:
                continue
            preferences.take_address(member_id=address.owner_id, address_id=address.id)
            member = db.session.get(Member, address.owner_id)
            if member is not None and member.state is MemberState.APPLIED and typed in accepted:
                vetting.accept(member=member, by_id=scene.staff["carol"].id, now=scene.now)
        scene.members.append({"name": name, "phone": phone, "email": email})


def _apply(
    scene: Scene,
    name: str,
    phone: str | None,
    email: str | None,
    regions: tuple[str, ...],
    sector: Sector,
    level: Level,
) -> None:
    epoch, public = epochs.current(EpochKind.VETTING, vault=scene.vault)
    typed = {Channel.SMS: phone, Channel.EMAIL: email}
    joining.apply(
        vault=scene.vault,
        epoch_id=epoch.id,
        epoch_public=public,
        token=scene.vault.form_tokens.new(FORM, scene.now),
        application=Application(
            working_name=name,
            kind=MemberKind.INDIVIDUAL,
            addresses={channel: address for channel, address in typed.items() if address},
            ticked=frozenset(channel for channel, address in typed.items() if address),
            regions=regions,
            sectors=(sector,),
            language=runtime().settings.languages[0],
            level=level,
            wake_for_danger=True,
        ),
        now=scene.now - timedelta(days=3),
    )
