"""A report form as a browser posts it, with its token: read, judged and drawn again in the same way for every door."""

from functools import cached_property
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, make_response, render_template, request

from reporting.filing.submission import FORM_PURPOSE, Submission
from reporting.record.form_sections import ReportForm
from reporting.record.models import Source
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import FormToken, FormTokens, Receipt
from ugly_mugs.web.page_language import page_language


class PostedForm:
    """`complete` says whether every answer is right; `adds_person` that the button for one more person was pressed.

    That button judges nothing and files nothing; the form only has room for one more.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self.now = runtime().clock.now()
        self.token = runtime().vault.form_tokens.read(FORM_PURPOSE, request.form.get("token", ""))
        self.form = ReportForm()
        self.adds_person = self.form.asked_to_add(request.form)
        if self.adds_person:
            self.form.keep(request.form).offenders.add()
        self.complete = not self.adds_person and self.form.take(request.form)

    @property
    def fileable(self) -> bool:
        """Whether the token is ours and at most 24 hours old."""
        return self.token is not None and FormTokens.is_fileable(self.token, self.now)

    @cached_property
    def receipt(self) -> Receipt:
        """The receipt the token stands for: the same form gives the same receipt each time it is sent."""
        assert self.token is not None
        return runtime().vault.receipts.from_form_token(self.token)

    def submission(self, source: Source, *, filed_by: UUID | None = None) -> Submission:
        return Submission(
            receipt=self.receipt,
            source=source,
            sections=self.form.values,
            consents=self.form.consents(language=page_language(), day=self.now.date()),
            moment=self.now,
            filed_by=filed_by,
        )

    def page(
        self, message: Any = "", status: HTTPStatus | None = None, *, fresh_token: bool = False
    ) -> Response:
        """The form with everything typed. It keeps its token while that can still file."""
        token = self.token if self.fileable and not fresh_token else None
        return form_page(self._template, self.form, token, message, status)

    def too_long(self, message: Any) -> Response:
        """The form with everything typed, after the service raised TooLong."""
        self.form.refuse_length(message)
        return self.page()


def form_page(
    template: str,
    form: ReportForm,
    token: FormToken | None = None,
    message: Any = "",
    status: HTTPStatus | None = None,
) -> Response:
    """A page with a report form, under a fresh token unless one is given; 400 if something on it is wrong."""
    text = token.text if token is not None else fresh_token()
    page = render_template(template, form=form, token=text, message=message)
    wrong = bool(message or form.problems())
    return make_response(page, status or (HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK))


def fresh_token() -> str:
    return runtime().vault.form_tokens.issue(FORM_PURPOSE, runtime().clock.now())
