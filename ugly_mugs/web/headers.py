"""Headers of every response: no foreign content, no caching, no referrer for other sites."""

from flask import Flask, Response, request

from ugly_mugs.settings import Settings

# Every page works without scripts; the only one makes leaving the site quicker.
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
        # A header that the view has set stays. One set instead of a look-up for each: this runs for every response.
        set_by_view = {name.lower() for name, _value in headers}
        headers.extend((name, value) for name, value in fixed.items() if name.lower() not in set_by_view)
        if request.endpoint == "static" and response.status_code < 400:
            # The URL contains a hash of the contents, so a cached copy is never out of date.
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            headers["Cache-Control"] = "no-store"
        return response
