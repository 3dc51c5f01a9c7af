"""The invented people of a demo installation, and the one-time code that each of them needs now."""

import hmac
import json
from base64 import b32decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEP = 30


@dataclass(frozen=True, slots=True)
class Login:
    login: str
    passphrase: str
    roles: str
    secret: bytes

    def code(self, now: float) -> str:
        """RFC 6238: six digits from HMAC-SHA1 over the number of the half minute."""
        digest = hmac.digest(self.secret, int(now // STEP).to_bytes(8, "big"), "sha1")
        offset = digest[-1] & 15
        number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
        return f"{number % 1_000_000:06}"


@dataclass(frozen=True, slots=True)
class Demo:
    web: str = ""
    staff: tuple[Login, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def read_demo(path: Path | None) -> Demo:
    """Read anew for each page, because `make demo` writes new secrets; without a file there is no demo."""
    if path is None or not path.exists():
        return Demo()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Demo(
            web=str(content.get("web", "")),
            staff=tuple(_login(entry) for entry in content.get("staff", [])),
            members=tuple(
                (str(m.get("phone") or ""), str(m.get("email") or "")) for m in content.get("members", [])
            ),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return Demo(problem="The file with the demo logins cannot be read. “make demo” writes it anew.")


def _login(entry: dict[str, Any]) -> Login:
    secret = "".join(str(entry["totp_secret"]).split()).upper().rstrip("=")
    roles = entry.get("roles", [])
    return Login(
        login=str(entry["login"]),
        passphrase=str(entry["passphrase"]),
        roles=roles if isinstance(roles, str) else ", ".join(map(str, roles)),
        secret=b32decode(secret + "=" * (-len(secret) % 8)),
    )
