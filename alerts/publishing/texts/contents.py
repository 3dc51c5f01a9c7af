"""The sealed contents and texts of an alert version, and the keys that seal them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol
from uuid import UUID, uuid4

from alerts.delivery.audience import Audience
from alerts.membership.models import Level, Sector
from alerts.publishing.models import Alert, AlertText, TextChannel
from reporting.record.choices import Severity
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.database.sealed_json import Plain, SealedJson
from ugly_mugs.outbox.models import Channel
from ugly_mugs.vault import ServiceVault, Where, symmetric
from ugly_mugs.vault.padding import TEXT

TextKey = tuple[TextChannel, str, Level]
Texts = Mapping[TextKey, str]


@dataclass(frozen=True)
class Identifier:
    """An identifier of the alleged offender, as it is in the report."""

    kind: str
    value: str

    @property
    def key(self) -> str:
        """Its value in a form."""
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True)
class FoundLeak:
    """One place in a text that may point to the reporter."""

    text: str  # which of the texts, as `TextChannel`
    kind: str
    words: str
    why: str


@dataclass(frozen=True)
class AlertContents:
    """The structured fields of a version. `redacted`, `offered`, `leaks` and `basis` are removed at approval.

    `basis` identifies the state of the report that the leak check used. `authors` are all who ever saved. They are
    kept here besides `AlertAuthor`, because an attacker who can write to the database can change those rows.
    """

    severity: Severity
    types: tuple[str, ...] = ()
    place: str = ""
    when: str = ""
    premises: str = ""
    description: str = ""
    vehicle: str = ""
    advice: str = ""
    regions: tuple[str, ...] = ()
    online: bool = False
    sectors: tuple[str, ...] = ()
    kinds: tuple[str, ...] = tuple(MemberKind)
    third_party: bool = False
    establishments_too: bool = False
    channels: tuple[str, ...] = tuple(Channel)
    identifiers: tuple[Identifier, ...] = ()
    days: int = 30
    offered: tuple[Identifier, ...] = ()
    redacted: str = ""
    leaks: tuple[FoundLeak, ...] = ()
    checked_on: date | None = None
    basis: str = ""
    authors: tuple[UUID, ...] = ()
    approved_by: UUID | None = None

    @property
    def danger(self) -> bool:
        return self.severity is Severity.DANGER

    def audience(self) -> Audience:
        """Who gets it. About a manager or third party, establishments get it only when a moderator chose that."""
        kinds = frozenset(map(MemberKind, self.kinds))
        if self.third_party and not self.establishments_too:
            kinds -= {MemberKind.ESTABLISHMENT}
        return Audience(
            kinds=kinds,
            regions=frozenset(self.regions),
            sectors=frozenset(map(Sector, self.sectors)),
            online=self.online,
        )

    def sent_by(self) -> frozenset[Channel]:
        return frozenset(map(Channel, self.channels))

    def for_members(self, *, authors: tuple[UUID, ...], approved_by: UUID) -> "AlertContents":
        """The contents after approval: without what only the desk reads, with the authors and the approver."""
        return replace(
            self,
            offered=(),
            redacted="",
            leaks=(),
            checked_on=None,
            basis="",
            authors=authors,
            approved_by=approved_by,
        )


def _plain(contents: AlertContents) -> Plain:
    return {
        **contents.__dict__,
        "identifiers": [[identifier.kind, identifier.value] for identifier in contents.identifiers],
        "offered": [[identifier.kind, identifier.value] for identifier in contents.offered],
        "leaks": [[leak.text, leak.kind, leak.words, leak.why] for leak in contents.leaks],
        "checked_on": contents.checked_on.isoformat() if contents.checked_on else None,
        "authors": [author.hex for author in contents.authors],
        "approved_by": contents.approved_by.hex if contents.approved_by else None,
    }


def _from_plain(plain: Plain) -> AlertContents:
    lists = ("types", "regions", "sectors", "kinds", "channels")
    return AlertContents(
        **{
            **plain,
            **{name: tuple(plain[name]) for name in lists},
            "severity": Severity(plain["severity"]),
            "identifiers": tuple(Identifier(*pair) for pair in plain["identifiers"]),
            "offered": tuple(Identifier(*pair) for pair in plain["offered"]),
            "leaks": tuple(FoundLeak(*values) for values in plain["leaks"]),
            "checked_on": date.fromisoformat(plain["checked_on"]) if plain["checked_on"] else None,
            "authors": tuple(UUID(hex=author) for author in plain["authors"]),
            "approved_by": UUID(hex=plain["approved_by"]) if plain["approved_by"] else None,
        }
    )


CONTENTS: Final = SealedJson("alerts", "contents", sizes=TEXT, dump=_plain, load={1: _from_plain})


class SealingKey(Protocol):
    """The key that seals an alert: its draft key, or after approval the service's `rest` key."""

    def seal(self, plain: bytes, where: Where, /, *, sizes: Sequence[int] = TEXT) -> bytes: ...

    def open(self, sealed: bytes, where: Where) -> bytes: ...


@dataclass(frozen=True, repr=False)
class DraftSealingKey:
    """Until approval: the version's own key, which only people it is wrapped to can open."""

    key: bytes

    def seal(self, plain: bytes, where: Where, /, *, sizes: Sequence[int] = TEXT) -> bytes:
        return symmetric.seal(self.key, plain, where, sizes=sizes)

    def open(self, sealed: bytes, where: Where) -> bytes:
        return symmetric.open_sealed(self.key, sealed, where)


@dataclass(frozen=True, repr=False)
class RestSealingKey:
    """From approval on: the service's key, so that it can show the alert to members and send it."""

    vault: ServiceVault

    def seal(self, plain: bytes, where: Where, /, *, sizes: Sequence[int] = TEXT) -> bytes:
        return self.vault.seal_rest(plain, where, sizes=sizes)

    def open(self, sealed: bytes, where: Where) -> bytes:
        return self.vault.open_rest(sealed, where)


def seal_contents(alert: Alert, contents: AlertContents, sealing_key: SealingKey) -> None:
    alert.contents = CONTENTS.seal(contents, row=alert.id, sealer=sealing_key.seal)


def open_contents(alert: Alert, sealing_key: SealingKey) -> AlertContents:
    """CannotOpen when they were sealed under another key."""
    return CONTENTS.open(alert.contents, row=alert.id, opener=sealing_key.open)


def seal_texts(alert: Alert, texts: Texts, costs: Mapping[TextKey, int], sealing_key: SealingKey) -> None:
    """Store exactly these texts, one row each, and delete other rows."""
    rows = {(row.channel, row.language, row.level): row for row in alert.texts}
    for key, row in rows.items():
        if key not in texts:
            alert.texts.remove(row)
    for key, text in texts.items():
        row = rows.get(key) or _new_text(alert, key)
        row.segments = costs.get(key, 1)
        row.text = sealing_key.seal(text.encode(), Where("alert_texts", "text", row.id))


def open_texts(alert: Alert, sealing_key: SealingKey) -> dict[TextKey, str]:
    """CannotOpen when they were sealed under another key."""
    return {
        (row.channel, row.language, row.level): sealing_key.open(
            row.text, Where("alert_texts", "text", row.id)
        ).decode()
        for row in alert.texts
    }


def _new_text(alert: Alert, key: TextKey) -> AlertText:
    channel, language, level = key
    row = AlertText(id=uuid4(), channel=channel, language=language, level=level)
    alert.texts.append(row)
    return row
