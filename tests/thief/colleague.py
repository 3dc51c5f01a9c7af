"""Somebody who works at the desk, as they are outside it: their passphrase, and an authenticator in their hand."""

import base64
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.make.processes.stack import Stack
from tests.make.processes.visitor import Visitor
from ugly_mugs.vault import totp


@dataclass
class Colleague:
    """One person with a window of their own."""

    window: Visitor
    login: str
    passphrase: str = field(default="", repr=False)
    six_words: str = ""
    _secret: bytes = field(default=b"", repr=False)
    _used: int = 0

    def enrols(self, stack: Stack, *roles: str) -> None:
        """Types the code of an invitation, writes the words down and sets up the authenticator."""
        window = self.window
        window.goes_to("/desk/join").fills("Your invitation code", stack.invite(self.login, *roles)).presses(
            "Go on"
        )
        self.passphrase = window.receipt
        shown = next(each.text for each in window.page.all("code")).replace(" ", "").upper()
        self._secret = base64.b32decode(shown + "=" * (-len(shown) % 8))
        window.fills("Six digits from your authenticator", self._code())
        window.presses("I have written the words down. Go on").sees("Read these six words to them")
        self.six_words = window.receipt

    def admits(self, newcomer: "Colleague") -> None:
        people = self.window.goes_to("/desk/people").fills("The six words you heard", newcomer.six_words)
        people.presses(f"Admit {newcomer.login}").sees("Done. They can sign in now.")

    def signs_in(self) -> None:
        window = self.window.goes_to("/desk/sign-in")
        window.fills("Your name here", self.login).fills("Your passphrase", self.passphrase)
        window.fills("Six digits from your authenticator", self._code()).presses("Sign in")
        assert window.path in ("/desk", "/admin"), window.page.text

    def _code(self) -> str:
        """The earliest code that still counts and was not used; a third within half a minute has to be waited for."""
        self._used = max(self._used + 1, _step() - 1)
        while self._used > _step() + 1:
            time.sleep(0.5)
        return totp.code_now(self._secret, datetime.fromtimestamp(self._used * totp.STEP_SECONDS + 1, UTC))


def _step() -> int:
    return int(time.time()) // totp.STEP_SECONDS
