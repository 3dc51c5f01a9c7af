"""The vaults of a web process and of a worker."""

import string
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, cast, get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings, strategies as st

from ugly_mugs.vault import (
    CannotOpen,
    KeyFileProblem,
    PrivateKey,
    ServiceFile,
    ServiceVault,
    SwappedKey,
    VaultError,
    Where,
    WorkerFile,
    WorkerVault,
)
from ugly_mugs.vault.keys import keyfiles
from ugly_mugs.vault.keys.roots import Root, ServiceLabel, WorkerLabel
from ugly_mugs.vault.padding import TEXT

LETTERS = string.ascii_letters + string.digits + "-_"


def with_second_ring_key(file: ServiceFile) -> ServiceVault:
    """The same installation after a ring key was added to its service root."""
    return ServiceVault(ServiceFile({**file.ring, 2: bytes(32)}, file.dispatch_public))


def test_the_labels_are_fixed_and_others_are_refused(service: ServiceVault) -> None:
    sealing = {"rest", "receipt-pepper", "password-pepper", "session", "key-mac", "voprf", "series-tag"}
    tokens = {"form-token", "csrf", "code", "link", "opt-out", "webhook", "metrics", "audit"}

    assert set(get_args(ServiceLabel)) == sealing | tokens
    assert set(get_args(WorkerLabel)) == {"contacts", "contact-tag", "verp"}
    with pytest.raises(VaultError, match="no label"):
        service.keyed(cast(Any, "contacts"), b"x")


def test_keys_of_different_labels_and_contexts_are_different() -> None:
    root = Root("service", {1: bytes(32)})
    keys = [root.subkey(label) for label in get_args(ServiceLabel)]
    keys += [root.subkey("rest", "seal", *place) for place in (("ab", "c"), ("a", "bc"), ("abc", ""))]
    keys += [root.subkey("rest", "keyed"), Root("service", {1: b"\1" * 32}).subkey("rest")]

    assert all(one != other for one, other in combinations(keys, 2))


def test_the_two_roots_share_no_label_and_derive_different_keys() -> None:
    ring = {1: bytes(32)}
    labels = set(get_args(ServiceLabel)) & set(get_args(WorkerLabel))

    assert not labels
    assert Root("service", ring).subkey("rest") != Root("worker", ring).subkey("contacts")


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_keyed_values_are_equal_only_for_equal_parts(
    service: ServiceVault, one: list[bytes], other: list[bytes]
) -> None:
    assert (service.keyed("session", *one) == service.keyed("session", *other)) == (one == other)


def test_a_value_sealed_under_a_former_ring_key_still_opens(
    files: tuple[ServiceFile, WorkerFile], place: Where
) -> None:
    sealed = ServiceVault(files[0]).seal_rest(b"a text", place, sizes=TEXT)
    after = with_second_ring_key(files[0])

    assert after.open_rest(sealed, place) == b"a text"
    assert after.seal_rest(b"a text", place, sizes=TEXT)[1] == 2


def test_a_value_sealed_under_an_unknown_ring_key_does_not_open(
    files: tuple[ServiceFile, WorkerFile], place: Where
) -> None:
    sealed = with_second_ring_key(files[0]).seal_rest(b"a text", place, sizes=TEXT)

    with pytest.raises(CannotOpen):
        ServiceVault(files[0]).open_rest(sealed, place)


def test_only_the_worker_opens_what_is_sealed_to_the_dispatch_key(worker: WorkerVault, place: Where) -> None:
    sealed = worker.dispatch.seal(b"robin@example.org", place, sizes=TEXT)

    assert worker.open_dispatch(sealed, place) == b"robin@example.org"
    assert not hasattr(ServiceVault, "open_dispatch")
    assert not hasattr(ServiceVault, "open_contact")


def test_a_public_key_with_a_valid_mac_is_accepted(
    service: ServiceVault, private: PrivateKey, place: Where
) -> None:
    raw = private.public().raw

    assert service.check_public_key(place, raw, service.mac_public_key(place, raw)) == private.public()


def test_a_swapped_public_key_is_refused(service: ServiceVault, private: PrivateKey, place: Where) -> None:
    mac = service.mac_public_key(place, private.public().raw)
    stranger = PrivateKey.generate().public().raw

    for where, raw, presented in [
        (place, stranger, mac),
        (replace(place, row=uuid4()), private.public().raw, mac),
        (replace(place, table="staff"), private.public().raw, mac),
        (place, private.public().raw, bytes(32)),
        (place, private.public().raw, b""),
    ]:
        with pytest.raises(SwappedKey):
            service.check_public_key(where, raw, presented)


def test_a_mac_of_a_former_ring_key_is_accepted(
    files: tuple[ServiceFile, WorkerFile], private: PrivateKey, place: Where
) -> None:
    raw = private.public().raw
    mac = ServiceVault(files[0]).mac_public_key(place, raw)

    assert with_second_ring_key(files[0]).check_public_key(place, raw, mac) == private.public()


def test_a_code_is_valid_for_its_request_and_its_session_only(service: ServiceVault) -> None:
    request, other = uuid4(), uuid4()
    stored = service.code_mac(request, b"secret", "123456")

    assert stored == service.code_mac(request, b"secret", "123456")
    assert stored != service.code_mac(other, b"secret", "123456")
    assert stored != service.code_mac(request, b"another", "123456")
    assert stored != service.code_mac(request, b"secret", "123457")


def test_a_csrf_token_belongs_to_one_session(service: ServiceVault) -> None:
    token = service.csrf(b"one")

    assert service.check_csrf(b"one", token)
    assert not service.check_csrf(b"other", token)


@given(st.text(st.characters()))
def test_any_other_text_is_no_csrf_token(service: ServiceVault, text: str) -> None:
    assert not service.check_csrf(b"one", text)


def test_a_sessions_hash_and_key_are_different(service: ServiceVault) -> None:
    assert service.session_hash(b"same") != service.session_key(b"same")
    assert len(service.session_key(b"same")) == 32


def test_path_tokens_are_long_url_safe_and_different(service: ServiceVault) -> None:
    webhook, metrics = service.path_token("webhook"), service.path_token("metrics")

    assert webhook != metrics
    assert webhook == service.path_token("webhook")
    assert len(webhook) == 22
    assert webhook.replace("-", "").replace("_", "").isalnum()


@given(st.uuids(), st.integers(0, 65_535))
def test_tokens_are_read_unchanged(service: ServiceVault, row: UUID, attempt: int) -> None:
    assert service.read_opt_out_token(service.opt_out_token(row)) == row
    assert service.read_delivery_token(service.delivery_token(row, attempt)) == (row, attempt)


@given(st.integers(0, 42), st.integers(1, 63))
@settings(max_examples=300)
def test_a_token_with_a_changed_letter_is_invalid(service: ServiceVault, at: int, by: int) -> None:
    for token, read in [
        (service.opt_out_token(uuid4()), service.read_opt_out_token),
        (service.delivery_token(uuid4(), 1), service.read_delivery_token),
    ]:
        letter = LETTERS[(LETTERS.index(token[at]) + by) % 64]
        assert read(token[:at] + letter + token[at + 1 :]) is None


@given(st.text(st.characters()))
def test_any_other_text_is_no_token(service: ServiceVault, text: str) -> None:
    assert service.read_opt_out_token(text) is None
    assert service.read_delivery_token(text) is None


def test_a_token_of_one_kind_is_not_valid_as_another(service: ServiceVault) -> None:
    assert service.read_opt_out_token(service.delivery_token(uuid4(), 1)) is None
    assert service.read_delivery_token(service.opt_out_token(uuid4())) is None


def test_a_token_of_a_former_ring_key_is_valid(files: tuple[ServiceFile, WorkerFile]) -> None:
    row = uuid4()

    assert with_second_ring_key(files[0]).read_opt_out_token(ServiceVault(files[0]).opt_out_token(row)) == row


def test_the_audit_chain_depends_on_what_came_before(service: ServiceVault) -> None:
    assert service.audit_mac(b"before", b"entry") != service.audit_mac(b"other", b"entry")
    assert service.audit_mac(b"a", b"bc") != service.audit_mac(b"ab", b"c")


def test_an_approval_is_bound_to_exactly_its_parts(service: ServiceVault) -> None:
    assert service.approval_hash([b"text", b"rule"]) == service.approval_hash([b"text", b"rule"])
    assert service.approval_hash([b"text", b"rule"]) != service.approval_hash([b"textr", b"ule"])
    assert service.approval_hash([b"text", b"rule"]) != service.approval_hash([b"rule", b"text"])


def test_a_contact_tag_finds_an_address_in_its_channel_only(worker: WorkerVault) -> None:
    tag = worker.contact_tag("sms", "+447700900123")

    assert tag == worker.contact_tag("sms", "+447700900123")
    assert tag != worker.contact_tag("email", "+447700900123")
    assert tag != worker.contact_tag("sms", "+447700900124")
    assert len(tag) == 32


def test_a_contact_tag_cannot_be_made_with_the_service_file(files: tuple[ServiceFile, WorkerFile]) -> None:
    service, worker = files
    guessed = WorkerVault(service, WorkerFile(service.ring, worker.dispatch_seed))

    tag = WorkerVault(service, worker).contact_tag("sms", "+447700900123")

    assert guessed.contact_tag("sms", "+447700900123") != tag


def test_a_verp_token_survives_a_change_of_case(worker: WorkerVault) -> None:
    token = worker.verp_token(uuid4())

    assert token == token.lower()
    assert token.isalnum()
    assert len(token) <= 64


def test_files_of_different_installations_are_refused(tmp_path: Path) -> None:
    service, _ = keyfiles.create(tmp_path / "one")
    _, worker = keyfiles.create(tmp_path / "other")

    with pytest.raises(KeyFileProblem, match="different installations"):
        WorkerVault(service, worker)


def test_a_vault_tells_whether_its_keys_are_for_a_try_out_and_which_epochs_it_knows(
    tmp_path: Path,
) -> None:
    keyfiles.create(tmp_path / "keys", demo=True)

    vault = ServiceVault(keyfiles.mark_epoch(tmp_path / "keys", name="desk", number=1, fingerprint=b"f" * 32))

    assert vault.demo is True
    assert [(mark.number, mark.fingerprint) for mark in vault.epochs["desk"]] == [(1, b"f" * 32)]
