"""What a feature registers for each kind of output it makes: the consent it rests on, its words, and its pages.

The pages of reporting draw outputs from these and know no kind by name. `ugly_mugs.app` wires the kinds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from flask_babel import format_date

from reporting.record.consents import Consent, Consents
from reporting.record.models import Output, OutputKind, OutputState
from ugly_mugs.accounts.permissions import Permission
from ugly_mugs.runtime import runtime
from ugly_mugs.web.form_fields import Words


@dataclass(frozen=True)
class Sentences:
    """What is said of an output in one state. `held` and `not_before` are given where they make a difference.

    A hold counts before a first day. `not_before` may contain `%(day)s`.
    """

    usual: Words
    held: Words | None = None
    not_before: Words | None = None

    def about(self, output: Output) -> str:
        if output.held and self.held is not None:
            return str(self.held)
        if output.not_before is not None and self.not_before is not None:
            return str(self.not_before) % {"day": format_date(output.not_before, "long")}
        return str(self.usual)


@dataclass(frozen=True)
class ReporterWords:
    """What the reporter reads on the pages behind the receipt.

    `none_made` and `not_allowed` stand under the heading while there is none. `texts` are labels for the texts of a
    preview, by their names in it. `on_withdrawal` says what withdrawing the report does to outputs of this kind.
    """

    heading: Words
    none_made: Words
    not_allowed: Words
    states: Mapping[OutputState, Sentences]
    texts: Mapping[str, Words]
    on_withdrawal: Words


@dataclass(frozen=True)
class DeskWords:
    """What the desk reads on the page of a report.

    `title` contains `%(number)s`, which counts those of one report. `made` is the next step once there is one.
    `settling_message` is proposed as the message to the reporter when the report is settled.
    """

    heading: Words
    title: Words
    states: Mapping[OutputState, Sentences]
    made: Words
    settling_message: Words


@dataclass(frozen=True)
class Making:
    """How the desk begins one from the settled text of a report: a form with `report_id`, posted to `endpoint`.

    `hide_words`, `if_unwanted` and `ready` are the next steps on the way there; `button` is on the form.
    """

    endpoint: str
    permission: Permission
    button: Words
    hide_words: Words
    if_unwanted: Words
    ready: Words


@dataclass(frozen=True)
class OutputKindSpec:
    """One kind of output. `page_of` gives the desk's page of one subject, for people with `permission`.

    `making` is None for a kind that is not begun by hand from a report.
    """

    kind: OutputKind
    rests_on: Consent
    page_of: Callable[[UUID], str]
    permission: Permission
    reporter: ReporterWords
    desk: DeskWords
    making: Making | None = None


def registered() -> Sequence[OutputKindSpec]:
    """Every kind that is wired, in the order in which pages show them."""
    return cast(Sequence[OutputKindSpec], runtime().wiring.output_kinds)


def may_be_made(consents: Consents) -> Sequence[OutputKindSpec]:
    """The kinds that the desk may begin from a report with these consents."""
    return [spec for spec in registered() if spec.making is not None and consents.given(spec.rests_on)]


def spec_of(kind: OutputKind) -> OutputKindSpec:
    """LookupError when no feature registers this kind."""
    for spec in registered():
        if spec.kind == kind:
            return spec
    raise LookupError(f"no feature registers outputs of the kind {kind!r}")
