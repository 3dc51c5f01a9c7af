"""Form tokens on the desk's own doors, where there is no session yet."""

from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form


def with_token(purpose: str, form: Form) -> Form:
    """The form with a fresh token, however often it is drawn."""
    return form.fill({"token": runtime().vault.form_tokens.issue(purpose, runtime().clock.now())})


def token_holds(purpose: str, form: Form) -> bool:
    """Whether the form comes from a page of ours, drawn within the day; if not, it is drawn again."""
    tokens = runtime().vault.form_tokens
    token = tokens.read(purpose, form.values.get("token") or "")
    return token is not None and tokens.is_fileable(token, runtime().clock.now())
