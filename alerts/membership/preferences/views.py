"""A member's own pages: preferences, addresses, a pause, and ending the membership."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request

from alerts.membership import queries
from alerts.membership.models import Level, Member, MemberState, Sector
from alerts.membership.preferences import ending, services
from alerts.membership.preferences.services import Wishes
from alerts.membership.schemas import TICKS, AddressSchema, CodeSchema, PreferencesSchema
from alerts.membership.sign_in import services as sign_in
from alerts.membership.sign_in.budgets import CodeBudgets
from alerts.membership.sign_in.services import CodeRequest
from alerts.membership.sign_in.views import draw_code_page, language, request_code, take_code
from alerts.membership.standing import accepted_only, current_standing
from ugly_mugs.accounts import sessions
from ugly_mugs.accounts.guard import browser_session, current_member, forget, member
from ugly_mugs.accounts.models import SessionKind
from ugly_mugs.database.engine import db
from ugly_mugs.errors import Conflict, or_not_there
from ugly_mugs.outbox.models import AddressState, Channel
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form
from ugly_mugs.web.redirects import see_other

preferences = Blueprint("preferences", __name__)

PREFERENCES = "/alerts/preferences"
ADDRESSES = "/alerts/addresses"
DECISIONS = {"pause": (services.pause, "paused"), "resume": (services.resume, "resumed")}
CODE_PAGE = "alerts/membership/preferences/address_code.html"


def _me(*, lock: bool = False) -> Member:
    my_id = current_member().member_id
    return or_not_there(sign_in.locked_member(my_id) if lock else db.session.get(Member, my_id))


@preferences.get("/alerts/waiting")
@member
def waiting_page() -> Response:
    """The state of the application; the only page for people who are not accepted."""
    standing = current_standing()
    if standing in queries.ACCEPTED:
        return see_other("preferences.preferences_page")
    rejected = standing is MemberState.REJECTED
    return make_response(render_template("alerts/membership/preferences/waiting.html", rejected=rejected))


# Preferences


@preferences.get(PREFERENCES)
@member
@accepted_only
def preferences_page() -> str:
    me = _me()
    live = queries.live_channels(me.id)
    values = {
        "regions": [row.region for row in me.regions],
        "sectors": [row.sector for row in me.sectors],
        "language": me.language,
        "level": me.level,
        "wake": me.wake_for_danger,
        **{name: channel in live for channel, name in TICKS.items()},
    }
    return _preferences_page(me, Form(PreferencesSchema()).fill(values))


def _preferences_page(me: Member, form: Form) -> str:
    return render_template(
        "alerts/membership/preferences/preferences.html",
        form=form,
        addresses=queries.addresses_of([me.id])[me.id],
        ticks=TICKS,
        paused=me.state is MemberState.PAUSED,
        languages=runtime().settings.languages,
        texts_come_from=runtime().settings.twilio_from,
        Channel=Channel,
        AddressState=AddressState,
        saved=request.args.get("saved", ""),
    )


@preferences.post(PREFERENCES)
@member
@accepted_only
def change_preferences() -> Response:
    form, me = Form(PreferencesSchema()), _me(lock=True)
    if not form.take(request.form):
        return make_response(_preferences_page(me, form), HTTPStatus.BAD_REQUEST)
    values = form.values
    wishes = Wishes(
        regions=tuple(values["regions"]),
        sectors=tuple(Sector(value) for value in values["sectors"]),
        language=values["language"] or me.language,
        level=Level(values["level"]),
        wake_for_danger=values["wake"],
    )
    services.change(member=me, wishes=wishes)
    for channel, name in TICKS.items():
        _tick(me, form, channel, wanted=bool(values[name]))
    if form.errors:
        db.session.rollback()
        return make_response(_preferences_page(_me(), form), HTTPStatus.BAD_REQUEST)
    db.session.commit()
    return see_other("preferences.preferences_page", saved="yes")


def _tick(me: Member, form: Form, channel: Channel, *, wanted: bool) -> None:
    now, vault = runtime().clock.now(), runtime().vault
    try:
        services.tick(vault=vault, member=me, channel=channel, wanted=wanted, language=language(), now=now)
    except Conflict as refusal:
        form.refuse(TICKS[channel], refusal.message)


@preferences.post("/alerts/<any(pause, resume):decision>")
@member
@accepted_only
def pause_or_resume(decision: str) -> Response:
    service, saved = DECISIONS[decision]
    service(member=_me(lock=True))
    db.session.commit()
    return see_other("preferences.preferences_page", saved=saved)


# Addresses


@preferences.get(ADDRESSES)
@member
@accepted_only
def addresses_page() -> str:
    return _addresses_page(Form(AddressSchema()))


def _addresses_page(form: Form) -> str:
    return render_template(
        "alerts/membership/preferences/addresses.html",
        form=form,
        addresses=queries.addresses_of([_me().id])[_me().id],
        Channel=Channel,
        AddressState=AddressState,
        why=request.args.get("why", ""),
    )


@preferences.post(ADDRESSES)
@member
@accepted_only
def ask_for_code() -> Response:
    """Send a code to the new address; nothing changes until it is typed here."""
    form, session = Form(AddressSchema()), browser_session(SessionKind.MEMBER)
    if not form.take(request.form) or session is None:
        return make_response(_addresses_page(form), HTTPStatus.BAD_REQUEST)
    vault, now = runtime().vault, runtime().clock.now()
    channel, address = form.values["channel"], form.values["address"]
    runtime().process_state.of(CodeBudgets).spend(channel, address, now)
    contents = request_code(channel, address, wanted_by=current_member().member_id)
    sessions.replace_contents(session, contents, vault=vault, now=now)
    db.session.commit()
    return see_other("preferences.address_code_page")


@preferences.get(f"{ADDRESSES}/code")
@member
@accepted_only
def address_code_page() -> Response:
    session = browser_session(SessionKind.MEMBER)
    if session is None or CodeRequest.read(session.contents) is None:
        return see_other("preferences.addresses_page")
    return draw_code_page(CODE_PAGE, session, Form(CodeSchema()))


@preferences.post(f"{ADDRESSES}/code")
@member
@accepted_only
def prove_address() -> Response:
    form, session = Form(CodeSchema()), browser_session(SessionKind.MEMBER)
    requested = None if session is None else CodeRequest.read(session.contents)
    if session is None or requested is None:
        return see_other("preferences.addresses_page", why="over")
    vault, now, my_id = runtime().vault, runtime().clock.now(), current_member().member_id
    attempt = take_code(form, requested, wanted_by=my_id)
    if attempt is None:
        return draw_code_page(CODE_PAGE, session, form)
    taken = attempt.address_id is not None and services.take_address(
        member_id=my_id, address_id=attempt.address_id
    )
    sessions.replace_contents(session, {}, vault=vault, now=now)
    db.session.commit()
    if not taken:
        return see_other("preferences.addresses_page", why="over")
    return see_other("preferences.preferences_page", saved="address")


# Leaving


@preferences.get("/alerts/end")
@member
def end_page() -> str:
    return render_template(
        "alerts/membership/preferences/end.html", accepted=current_standing() in queries.ACCEPTED
    )


@preferences.post("/alerts/end")
@member
def end() -> Response:
    ending.end(vault=runtime().vault, member=_me(lock=True), now=runtime().clock.now())
    db.session.commit()
    forget(SessionKind.MEMBER)
    return see_other("sign_in.ended_page")


@preferences.post("/alerts/sign-out")
@member
def sign_out() -> Response:
    forget(SessionKind.MEMBER)
    return see_other("pages.welcome")
