"""Where a signed-in member stands: whoever is not accepted yet sees one page, which says just that."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import redirect

from alerts.membership import queries
from alerts.membership.models import MemberState
from ugly_mugs.accounts.guard import current_member
from ugly_mugs.database.engine import db, reading

View = TypeVar("View", bound=Callable[..., Any])

WAITING_PAGE = "/alerts/waiting"
FIRST_PAGE = "/alerts"


def accepted_only(view: View) -> View:
    """Under `@member`: lets accepted members in and shows all others how their application stands."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_standing() not in queries.ACCEPTED:
            return redirect(WAITING_PAGE, HTTPStatus.SEE_OTHER)
        return view(*args, **kwargs)

    return cast(View, guarded)


def current_standing() -> MemberState | None:
    """The state of whoever is signed in."""
    with reading():
        state = queries.state_of_member(current_member().member_id)
        # The view may be about to write, which must not begin in a transaction that only reads.
        db.session.rollback()
    return state


def first_page(state: MemberState | None) -> str:
    """Where somebody in this state begins."""
    return FIRST_PAGE if state in queries.ACCEPTED else WAITING_PAGE
