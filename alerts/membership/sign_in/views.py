"""Pages for signing in without a password: type an address, then the code sent to it."""

import uuid
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _, lazy_gettext
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from alerts.membership import queries
from alerts.membership.schemas import CodeSchema, SignInSchema, mask
from alerts.membership.sign_in import services as codes
from alerts.membership.sign_in.budgets import CodeBudgets
from alerts.membership.sign_in.services import CodeAttempt, CodeRequest, Verdict
from alerts.membership.standing import first_page_of
from ugly_mugs.accounts import sessions
from ugly_mugs.accounts.guard import anyone, browser_session
from ugly_mugs.accounts.models import SessionKind
from ugly_mugs.accounts.sessions import OpenSession
from ugly_mugs.accounts.tokens import with_token
from ugly_mugs.database.engine import brief_reading, db
from ugly_mugs.errors import TryAgain, not_saved
from ugly_mugs.outbox.models import Channel
from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form
from ugly_mugs.web.page_language import page_language
from ugly_mugs.web.redirects import see_other
from ugly_mugs.wiring import NavigationEntry

member_sign_in = Blueprint("sign_in", __name__)

NAVIGATION = (NavigationEntry("public", 40, lazy_gettext("Sign in"), "sign_in.sign_in_page"),)

FORM = "sign-in"
CODE_PAGE = "alerts/membership/sign_in/code.html"


@member_sign_in.get("/sign-in")
@anyone
def sign_in_page() -> Response:
    session = browser_session(SessionKind.MEMBER)
    if session is not None and session.owner_id is not None:
        return _inside(session.owner_id)
    why = "again" if "again" in request.args else request.args.get("why", "")
    return make_response(_page(Form(SignInSchema()), why=why))


def _page(form: Form, problem: str = "", why: str = "") -> str:
    return render_template(
        "alerts/membership/sign_in/sign_in.html",
        form=with_token(FORM, form),
        problem=problem,
        why=why,
    )


@member_sign_in.post("/sign-in")
@anyone
def ask_for_code() -> Response:
    """Draw a code, hand it over with the address, and start a session that waits for it; the same for every address."""
    form = Form(SignInSchema())
    if not form.take(request.form):
        return make_response(_page(form), HTTPStatus.BAD_REQUEST)
    vault, now = runtime().vault, runtime().clock.now()
    token = vault.form_tokens.read(FORM, form.values["token"] or "")
    if token is None or not vault.form_tokens.is_fileable(token, now):
        problem = _("This page was open for a long time. Please send it once more.")
        return make_response(_page(form, problem), HTTPStatus.BAD_REQUEST)
    channel, address = form.values["channel"], form.values["address"]
    if not runtime().process_state.of(CodeBudgets).spend(channel, address, now, page=token.value):
        problem = _("This page was sent before. Please send it once more.")
        return make_response(_page(form, problem), HTTPStatus.BAD_REQUEST)
    try:
        former = browser_session(SessionKind.MEMBER)
        contents = request_code(channel, address)
        cookie = sessions.start(
            vault=vault, kind=SessionKind.MEMBER, owner_id=None, contents=contents, now=now, replaces=former
        )
        db.session.commit()
    except (DBAPIError, PoolTimeout) as error:
        # Handled here, because each page is valid once: the answer must be a fresh page.
        return make_response(_page(form, not_saved(error)), HTTPStatus.SERVICE_UNAVAILABLE)
    return cookie.put(see_other("sign_in.code_page"))


def request_code(channel: Channel, address: str, *, wanted_by: uuid.UUID | None = None) -> dict[str, str]:
    """Have a code sent; gives the contents of the session that waits for it."""
    requested = codes.request_code(
        vault=runtime().vault,
        channel=channel,
        address=address,
        language=language(),
        now=runtime().clock.now(),
        wanted_by=wanted_by,
    )
    return {**requested.contents(), "to": mask(channel, address)}


@member_sign_in.get("/sign-in/code")
@anyone
def code_page() -> Response:
    session = browser_session(SessionKind.MEMBER)
    if session is not None and session.owner_id is not None:
        return _inside(session.owner_id)
    if session is None or CodeRequest.read(session.contents) is None:
        return see_other("sign_in.sign_in_page")
    return draw_code_page(CODE_PAGE, session, Form(CodeSchema()))


def draw_code_page(template: str, session: OpenSession, form: Form) -> Response:
    settings = runtime().settings
    page = render_template(
        template,
        form=form,
        to=session.contents.get("to", ""),
        csrf=runtime().vault.csrf(session.token),
        most_a_day=settings.codes_per_address,
        texts_come_from=settings.twilio_from,
    )
    return make_response(page, HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK)


@member_sign_in.post("/sign-in/code")
@anyone
def sign_in() -> Response:
    vault, now = runtime().vault, runtime().clock.now()
    session = browser_session(SessionKind.MEMBER)
    requested = (
        None if session is None or session.owner_id is not None else CodeRequest.read(session.contents)
    )
    if session is None or requested is None:
        return see_other("sign_in.sign_in_page", why="over")
    # `@anyone` pages get no check of the session's form token from the guard, so it is checked here.
    if not vault.check_csrf(session.token, request.form.get("csrf", "")):
        raise TryAgain(_("This page came from another sign-in. Please send it once more."))
    form = Form(CodeSchema())
    attempt = take_code(form, requested)
    if attempt is None:
        return draw_code_page(CODE_PAGE, session, form)
    member_id = codes.sign_in(address_id=attempt.address_id) if attempt.address_id else None
    if member_id is None:
        sessions.end(session)
        db.session.commit()
        return see_other("sign_in.sign_in_page", why="over")
    cookie = sessions.start(
        vault=vault, kind=SessionKind.MEMBER, owner_id=member_id, contents={}, now=now, replaces=session
    )
    db.session.commit()
    return cookie.put(_inside(member_id))


@member_sign_in.get("/sign-in/ended")
@anyone
def ended_page() -> str:
    return render_template("alerts/membership/sign_in/ended.html")


def take_code(
    form: Form, requested: CodeRequest, *, wanted_by: uuid.UUID | None = None
) -> CodeAttempt | None:
    """Check the digits posted; None when they are wrong, with an error in the form."""
    if not form.take(request.form):
        return None
    attempt = codes.try_code(
        vault=runtime().vault,
        requested=requested,
        typed=form.values["code"],
        now=runtime().clock.now(),
        wanted_by=wanted_by,
    )
    if attempt.verdict is not Verdict.WRONG:
        return attempt
    # Commit, so that the try stays counted.
    db.session.commit()
    form.refuse(
        "code",
        _("This is not the right code. You can try %(count)s more times.", count=attempt.tries_left)
        if attempt.tries_left > 1
        else _("This is not the right code. You can try once more."),
    )
    return None


def language() -> str:
    """The page's language if this installation offers it, for the message with the code."""
    offered = runtime().settings.languages
    preferred = page_language()
    return preferred if preferred in offered else offered[0]


def _inside(member_id: uuid.UUID) -> Response:
    with brief_reading():
        state = queries.state_of_member(member_id)
    return make_response(redirect(first_page_of(state), HTTPStatus.SEE_OTHER))
