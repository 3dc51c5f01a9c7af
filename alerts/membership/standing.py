"""Members who are not accepted see only one page: the state of their application."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import redirect, url_for

from alerts.membership import queries
from alerts.membership.models import MemberState
from ugly_mugs.accounts.guard import current_member
from ugly_mugs.accounts.navigation import first_page
from ugly_mugs.database.engine import brief_reading

View = TypeVar("View", bound=Callable[..., Any])

WAITING_PAGE = "preferences.waiting_page"


def accepted_only(view: View) -> View:
    """Use under `@member`: lets accepted members in and redirects all others to the state of their application."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_standing() not in queries.ACCEPTED:
            return redirect(url_for(WAITING_PAGE), HTTPStatus.SEE_OTHER)
        return view(*args, **kwargs)

    return cast(View, guarded)


def current_standing() -> MemberState | None:
    with brief_reading():
        return queries.state_of_member(current_member().member_id)


def first_page_of(state: MemberState | None) -> str:
    return first_page("member") if state in queries.ACCEPTED else url_for(WAITING_PAGE)
