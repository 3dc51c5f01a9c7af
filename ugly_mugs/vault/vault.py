"""The keys of a process: the web has a ServiceVault, the worker a WorkerVault, which adds the worker's own keys."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from ugly_mugs.vault.encoding import from_text, joined, to_text
from ugly_mugs.vault.errors import KeyFileProblem, SwappedKey
from ugly_mugs.vault.form_tokens import FormTokens
from ugly_mugs.vault.hybrid import PrivateKey, PublicKey
from ugly_mugs.vault.keys.keyfiles import EpochMark, ServiceFile, WorkerFile
from ugly_mugs.vault.keys.passphrases import StaffKeySeal
from ugly_mugs.vault.keys.roots import Root, ServiceLabel
from ugly_mugs.vault.padding import CONTACT
from ugly_mugs.vault.receipts import Receipts
from ugly_mugs.vault.tags import IdentifierTags
from ugly_mugs.vault.where import Where

_TOKEN_MAC = 16
_UUID = 16
_ATTEMPT = 2


class ServiceVault:
    """All keys derived from the service file; none of them opens a report or an address."""

    def __init__(self, file: ServiceFile) -> None:
        self._root = Root("service", file.ring)
        # For values that only the worker may read.
        self.dispatch = PublicKey(file.dispatch_public)
        # By name ("desk", "vetting").
        self.epochs: Mapping[str, Sequence[EpochMark]] = file.epochs
        # Made for a try-out: a production start refuses them.
        self.demo = file.demo
        self.form_tokens = FormTokens(self._root.subkeys("form-token"))
        self.receipts = Receipts(self._root.subkeys("receipt-pepper"))
        self.staff_seals = StaffKeySeal(self._root.subkeys("password-pepper"))
        self.tags = IdentifierTags(self._root.subkey("voprf"), self._root.subkey("series-tag"))

    def seal_rest(self, plain: bytes, where: Where, *, sizes: Sequence[int]) -> bytes:
        """Encrypt at rest: unreadable with the database alone. Each table and column has its own subkey of `rest`."""
        return self._root.seal("rest", plain, where, sizes=sizes)

    def open_rest(self, sealed: bytes, where: Where) -> bytes:
        """The inverse of `seal_rest`; CannotOpen for every kind of failure."""
        return self._root.open("rest", sealed, where)

    def keyed(self, label: ServiceLabel, *parts: bytes) -> bytes:
        """HMAC-SHA256 under a label's subkey, over length-prefixed parts; the first part names the use."""
        return _keyed(self._root, label, parts)

    def mac_public_key(self, where: Where, raw: bytes) -> bytes:
        """MAC under `key-mac` of a public key and its place in the database."""
        return self.keyed("key-mac", b"public key", where.bytes(), raw)

    def check_public_key(self, where: Where, raw: bytes, mac: bytes) -> PublicKey:
        """The parsed key; SwappedKey unless the MAC is valid for this place. Call it before every sealing."""
        for ring_id in self._root.subkeys("key-mac"):
            expected = _keyed(self._root, "key-mac", (b"public key", where.bytes(), raw), ring_id)
            if hmac.compare_digest(expected, mac):
                return PublicKey(raw)
        raise SwappedKey

    def code_mac(self, request_id: UUID, session_secret: bytes, code: str) -> bytes:
        """The stored form of a sign-in code: valid only in the browser session that requested it."""
        return self.keyed("code", b"sign-in", request_id.bytes, session_secret, code.encode())

    def csrf(self, session_hash: bytes) -> str:
        return to_text(self.keyed("csrf", b"form", session_hash))

    def check_csrf(self, session_hash: bytes, text: str) -> bool:
        """Compare in constant time; False, never an error, for any other text."""
        return hmac.compare_digest(self.csrf(session_hash).encode(), text.encode("utf-8", "replace"))

    def session_hash(self, session_id: bytes) -> bytes:
        """The stored form of the session id in the cookie."""
        return self.keyed("session", b"id", session_id)

    def session_key(self, secret: bytes) -> bytes:
        """The AES key of a session row's sealed contents, derived from the secret that only the cookie holds."""
        return self.keyed("session", b"secret", secret)

    def path_token(self, label: Literal["webhook", "metrics"]) -> str:
        """The secret part of a URL path (base64url, 22 characters)."""
        return to_text(self.keyed(label, b"path")[:_TOKEN_MAC])

    def opt_out_token(self, address_id: UUID) -> str:
        """Token for the one-click opt-out of one address; it does not expire."""
        mac = self.keyed("opt-out", b"address", address_id.bytes)[:_TOKEN_MAC]
        return to_text(address_id.bytes + mac)

    def read_opt_out_token(self, text: str) -> UUID | None:
        """The address's id; None unless the token's MAC is valid."""
        raw = self._checked(text, _UUID, "opt-out", b"address")
        return None if raw is None else UUID(bytes=raw)

    def delivery_token(self, delivery_id: UUID, attempt: int) -> str:
        """Token in the URL of a status callback; identifies one attempt at one delivery."""
        body = delivery_id.bytes + attempt.to_bytes(_ATTEMPT, "big")
        return to_text(body + self.keyed("webhook", b"delivery", body)[:_TOKEN_MAC])

    def read_delivery_token(self, text: str) -> tuple[UUID, int] | None:
        """The delivery's id and the attempt; None unless the token's MAC is valid."""
        raw = self._checked(text, _UUID + _ATTEMPT, "webhook", b"delivery")
        return None if raw is None else (UUID(bytes=raw[:_UUID]), int.from_bytes(raw[_UUID:], "big"))

    def audit_mac(self, previous: bytes, entry: bytes) -> bytes:
        return self.keyed("audit", b"entry", previous, entry)

    def approval_hash(self, parts: Sequence[bytes]) -> bytes:
        """HMAC of the approved parts; a hash without a key would let somebody with the database test guessed texts."""
        return self.keyed("rest", b"approval", *parts)

    def _checked(self, text: str, length: int, label: ServiceLabel, use: bytes) -> bytes | None:
        """A token's body if its MAC is valid for this label and use under one of the ring keys, else None."""
        raw = from_text(text, length + _TOKEN_MAC)
        if raw is None:
            return None
        body, mac = raw[:length], raw[length:]
        for ring_id in self._root.subkeys(label):
            if hmac.compare_digest(mac, _keyed(self._root, label, (use, body), ring_id)[:_TOKEN_MAC]):
                return body
        return None


class WorkerVault(ServiceVault):
    """The service vault, and the keys for addresses and for values the web sealed for the worker."""

    def __init__(self, service: ServiceFile, worker: WorkerFile) -> None:
        super().__init__(service)
        self._worker_root = Root("worker", worker.ring)
        self._dispatch_private = PrivateKey(worker.dispatch_seed)
        if self._dispatch_private.public() != self.dispatch:
            raise KeyFileProblem(
                "service.key and worker.key belong to different installations. Restore both together."
            )

    def contact_tag(self, channel: str, address: str) -> bytes:
        """32-byte lookup key of an address, which the caller has normalised: finds its member without storing it."""
        return _keyed(self._worker_root, "contact-tag", (channel.encode(), address.encode()))

    def seal_contact(self, plain: bytes, where: Where, *, sizes: Sequence[int] = CONTACT) -> bytes:
        """Seal a confirmed address so that only a worker can open it."""
        return self._worker_root.seal("contacts", plain, where, sizes=sizes)

    def open_contact(self, sealed: bytes, where: Where) -> bytes:
        """The inverse of `seal_contact`; CannotOpen for every kind of failure."""
        return self._worker_root.open("contacts", sealed, where)

    def open_dispatch(self, sealed: bytes, where: Where) -> bytes:
        """What the web sealed to the dispatch key at this place; CannotOpen for every kind of failure."""
        return self._dispatch_private.open(sealed, where)

    def verp_token(self, delivery_id: UUID) -> str:
        """Token in the envelope sender of one e-mail; lower-case hexadecimal, because mail servers may change case."""
        mac = _keyed(self._worker_root, "verp", (delivery_id.bytes,))[: _TOKEN_MAC // 2]
        return (delivery_id.bytes + mac).hex()


def _keyed(root: Root, label: str, parts: Sequence[bytes], ring_id: int | None = None) -> bytes:
    # The context "keyed" separates these keys from the encryption keys of the same label.
    return hmac.digest(root.subkey(label, "keyed", ring_id=ring_id), joined(*parts), hashlib.sha256)
