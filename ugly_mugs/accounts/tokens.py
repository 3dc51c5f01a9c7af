"""Form tokens for pages without a session, such as signing in and joining."""

from ugly_mugs.runtime import runtime
from ugly_mugs.web.forms import Form


def with_token(purpose: str, form: Form) -> Form:
    return form.fill({"token": runtime().vault.form_tokens.issue(purpose, runtime().clock.now())})


def token_is_valid(purpose: str, form: Form) -> bool:
    """Whether the form's token is ours and at most a day old; otherwise the caller renders the form again."""
    tokens = runtime().vault.form_tokens
    token = tokens.read(purpose, form.values.get("token") or "")
    return token is not None and tokens.is_fileable(token, runtime().clock.now())
