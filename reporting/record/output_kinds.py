"""What a feature registers for each kind of output: the consent that it needs, its labels, and its pages.

The pages of reporting show outputs with these and name no kind themselves. `ugly_mugs.app` wires the kinds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """The sentence about an output in one state, with variants for a held output and for one with a first day.

    `held` takes precedence over `not_before`. `not_before` may contain `%(day)s`.
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
    """What the reporter reads on the receipt pages.

    `none_made` and `not_allowed` are shown under the heading when there is no output. `texts` maps the names of a
    preview's texts to labels. `on_withdrawal` says what withdrawing the report does to outputs of this kind.
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

    `title` contains `%(number)s`, which numbers the outputs of one report. `next_step` describes the next step once an
    output exists. `settling_message` is the proposed message to the reporter when the report is settled.
    """

    heading: Words
    title: Words
    states: Mapping[OutputState, Sentences]
    next_step: Words
    settling_message: Words


@dataclass(frozen=True)
class CreateAction:
    """How the desk creates an output from the settled text of a report: a form with `report_id`, posted to `endpoint`.

    `hide_words`, `if_unwanted` and `ready` describe the steps before it; `button` is the label of the form's button.
    """

    endpoint: str
    permission: Permission
    button: Words
    hide_words: Words
    if_unwanted: Words
    ready: Words


@dataclass(frozen=True)
class OutputKindSpec:
    """One kind of output. `page_of` returns the path of the desk's page of one subject, for staff with `permission`.

    `create_action` is None for a kind that the desk does not create by hand from a report.
    """

    kind: OutputKind
    rests_on: Consent
    page_of: Callable[[UUID], str]
    permission: Permission
    reporter: ReporterWords
    desk: DeskWords
    create_action: CreateAction | None = None


def registered() -> Sequence[OutputKindSpec]:
    """Every wired kind, in the order in which pages show them."""
    return cast(Sequence[OutputKindSpec], runtime().wiring.output_kinds)


def grouped(outputs: Iterable[Output]) -> list[tuple[OutputKindSpec, list[Output]]]:
    """The outputs of every wired kind, also of a kind without outputs."""
    groups: dict[OutputKind, tuple[OutputKindSpec, list[Output]]] = {
        spec.kind: (spec, []) for spec in registered()
    }
    for output in outputs:
        groups[output.kind][1].append(output)
    return list(groups.values())


def may_be_made(consents: Consents) -> Sequence[OutputKindSpec]:
    """The kinds that the desk may create from a report with these consents."""
    return [spec for spec in registered() if spec.create_action is not None and consents.given(spec.rests_on)]


def spec_of(kind: OutputKind) -> OutputKindSpec:
    """LookupError when no feature registers this kind."""
    for spec in registered():
        if spec.kind == kind:
            return spec
    raise LookupError(f"no feature registers outputs of the kind {kind!r}")
