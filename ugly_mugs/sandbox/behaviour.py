"""How the sandbox behaves: how slow it is, which requests fail, and what becomes of the texts it accepts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar


class WrongBehaviour(ValueError):
    """A test asked for a behaviour that the sandbox does not have."""


class Callbacks(StrEnum):
    NORMAL = "normal"
    OFF = "off"
    DUPLICATE = "duplicate"
    REVERSED = "reversed"


class Final(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(slots=True)
class Rule:
    """One way in which sending a text fails; `times` counts down, and None means every time."""

    to: str | None = None
    status: int | None = None
    code: int | None = None
    drop: bool = False
    nonsense: bool = False
    after_accepting: bool = False
    final: Final | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        ways = [self.status is not None, self.drop, self.nonsense, self.final is not None]
        if sum(ways) != 1:
            raise WrongBehaviour("A rule says exactly one of: status, drop, nonsense, final.")
        if self.status is not None and not 400 <= self.status <= 599:
            raise WrongBehaviour("status is an HTTP error, 400 to 599.")
        if self.final is not None:
            self.final = _member(Final, self.final)


@dataclass(slots=True)
class MailRule:
    """One refusal of the mail server; `at` is the command that gets it."""

    code: int
    to: str | None = None
    at: str = "rcpt"
    times: int | None = None

    def __post_init__(self) -> None:
        if not 400 <= self.code <= 599:
            raise WrongBehaviour("code is an SMTP refusal, 400 to 599.")
        if self.at not in ("rcpt", "data"):
            raise WrongBehaviour("at is rcpt or data.")


@dataclass(slots=True)
class Behaviour:
    latency_ms: float = 0.0
    callback_delay_ms: float = 200.0
    callbacks: Callbacks = Callbacks.NORMAL
    final: Final = Final.DELIVERED
    error_code: int | None = None
    fail: list[Rule] = field(default_factory=list)
    fail_mail: list[MailRule] = field(default_factory=list)

    def change(self, wishes: Mapping[str, Any]) -> None:
        """Set what is named and leave the rest; raises WrongBehaviour and changes nothing when one value is wrong."""
        checked: dict[str, Any] = {}
        for name, wish in wishes.items():
            match name:
                case "latency_ms" | "callback_delay_ms":
                    if (
                        isinstance(wish, bool)
                        or not isinstance(wish, int | float)
                        or not 0 <= wish <= 600_000
                    ):
                        raise WrongBehaviour(f"{name} is a number of milliseconds.")
                    checked[name] = float(wish)
                case "callbacks":
                    checked[name] = _member(Callbacks, wish)
                case "final":
                    checked[name] = _member(Final, wish)
                case "error_code":
                    if wish is not None and type(wish) is not int:
                        raise WrongBehaviour("error_code is a number or null.")
                    checked[name] = wish
                case "fail":
                    checked[name] = _rules(Rule, wish)
                case "fail_mail":
                    checked[name] = _rules(MailRule, wish)
                case _:
                    raise WrongBehaviour(f"The sandbox knows no behaviour called {name!r}.")
        for name, value in checked.items():
            setattr(self, name, value)

    def rule_for(self, phone: str) -> Rule | None:
        """The first rule that applies to this phone; it counts as used once more."""
        return _take(self.fail, phone)

    def mail_rule_for(self, address: str, at: str) -> MailRule | None:
        """The first refusal that applies to this address at this command; it counts as used once more."""
        return _take([rule for rule in self.fail_mail if rule.at == at], address)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


AnyRule = TypeVar("AnyRule", Rule, MailRule)
AnyEnum = TypeVar("AnyEnum", Callbacks, Final)


def _take(rules: list[AnyRule], address: str) -> AnyRule | None:
    for rule in rules:
        if rule.times != 0 and rule.to in (None, address):
            if rule.times is not None:
                rule.times -= 1
            return rule
    return None


def _member(kind: type[AnyEnum], wish: object) -> AnyEnum:
    try:
        return kind(str(wish))
    except ValueError:
        raise WrongBehaviour(f"{wish!r} is none of: {', '.join(kind)}.") from None


_KINDS: dict[str, type | tuple[type, ...]] = {
    "to": str, "status": int, "code": int, "times": int, "drop": bool, "nonsense": bool,
    "after_accepting": bool, "final": str, "at": str,
}  # fmt: skip


def _rules(kind: type[AnyRule], wish: object) -> list[AnyRule]:
    if not isinstance(wish, list):
        raise WrongBehaviour("Rules come as a list.")
    known = {part.name for part in fields(kind)}
    rules = []
    for rule in wish:
        if not isinstance(rule, dict) or not set(rule) <= known:
            raise WrongBehaviour(f"A rule is an object with some of: {', '.join(sorted(known))}.")
        for name, value in rule.items():
            wanted = _KINDS[name]
            if value is not None and (
                not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))
            ):
                raise WrongBehaviour(f"{name} in a rule cannot be {value!r}.")
        try:
            rules.append(kind(**rule))
        except TypeError:
            raise WrongBehaviour("A mail rule needs its code.") from None
    return rules
