"""What the phones and inboxes of a running sandbox show, and what somebody types into one of the phones."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

# In seconds; the machine may be busy.
PATIENCE = 180


@dataclass(frozen=True)
class Sandbox:
    url: str
    smtp_url: str

    def texts(self, phone: str) -> list[dict[str, Any]]:
        """The texts this phone got from the service, oldest first; fields: `control_api.text_as_json`."""
        found: list[dict[str, Any]] = self._get(f"phones/{quote(phone)}.json")["messages"]
        return found[::-1]

    def bodies(self, phone: str) -> list[str]:
        return [text["body"] for text in self.texts(phone)]

    def all_texts(self) -> list[dict[str, Any]]:
        """Every text of the service to anybody, oldest first."""
        found: list[dict[str, Any]] = self._get("messages.json")["messages"]
        return found[::-1]

    def mails(self, address: str) -> list[dict[str, Any]]:
        """Every mail in this inbox, oldest first."""
        found: list[dict[str, Any]] = self._get(f"inboxes/{quote(address)}.json")["mails"]
        return found[::-1]

    def all_mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("mails.json")["mails"]
        return found[::-1]

    def reply(self, phone: str, body: str) -> int:
        """Somebody answers from this phone; gives the status with which the web took it."""
        status: int = self._post(f"phones/{quote(phone)}/reply", {"body": body})["webhook_status"]
        return status

    def behave(self, **changes: object) -> None:
        """How the provider behaves from now on; see `ugly_mugs.sandbox.behaviour`."""
        self._post("behaviour", changes)

    @property
    def waiting_callbacks(self) -> int:
        waiting: int = self._get("callbacks.json")["waiting"]
        return waiting

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/sandbox/{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def _post(self, path: str, content: dict[str, object]) -> Any:
        asked = urllib.request.Request(
            f"{self.url}/sandbox/{path}",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return json.load(answer)
