"""Headers of every answer: nothing from outside, nothing kept, nothing told to the next site."""

from flask import Flask, Response, request

from ugly_mugs.settings import Settings

# No script is needed anywhere; the one that exists only makes leaving quicker.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


def init_app(app: Flask, settings: Settings) -> None:
    fixed = {**ALWAYS, **(HTTPS_ONLY if settings.is_https else {})}

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        # One look at what a view has set itself, because every page passes here.
        given = {name.lower() for name, _value in headers}
        headers.extend((name, value) for name, value in fixed.items() if name.lower() not in given)
        if request.endpoint == "static" and response.status_code < 400:
            # The address holds a fingerprint of the contents, so a kept copy is never a stale one.
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            headers["Cache-Control"] = "no-store"
        return response
