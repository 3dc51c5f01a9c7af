"""What a reporter sees of the outputs made from their report, with the labels of each kind."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from reporting.record import output_kinds, outputs
from reporting.record.consents import Consents
from reporting.record.models import LIVE_OUTPUTS, Output, OutputKind
from ugly_mugs.web.form_fields import Words


class OutputCard(NamedTuple):
    """One output on the reporter's page; `preview_digest` identifies exactly the texts shown."""

    id: UUID
    preview_digest: str
    sentence: str
    texts: list[tuple[str, str]]
    may_hold: bool
    may_lift_hold: bool


class CardsOfKind(NamedTuple):
    """Every output of one kind under its heading; `empty` is shown when there is none."""

    kind: OutputKind
    heading: Words
    cards: list[OutputCard]
    empty: Words


def card_of(output: Output, *, content_key: bytes) -> OutputCard:
    """The output as a sentence, with its texts where the reporter may see them."""
    words = output_kinds.spec_of(output.kind).reporter
    texts = outputs.preview_of(output, content_key=content_key) if output.state in outputs.SHOWN else {}
    return OutputCard(
        id=output.id,
        preview_digest=outputs.preview_digest(output),
        sentence=words.states[output.state].about(output),
        texts=[(str(words.texts.get(name, name)), text) for name, text in texts.items()],
        may_hold=output.state in LIVE_OUTPUTS and not output.held,
        may_lift_hold=output.state in outputs.SHOWN and output.held,
    )


def by_kind(report_outputs: Iterable[Output], *, consents: Consents, content_key: bytes) -> list[CardsOfKind]:
    return [
        CardsOfKind(
            spec.kind,
            spec.reporter.heading,
            [card_of(output, content_key=content_key) for output in members],
            spec.reporter.none_made if consents.given(spec.rests_on) else spec.reporter.not_allowed,
        )
        for spec, members in output_kinds.grouped(report_outputs)
    ]
