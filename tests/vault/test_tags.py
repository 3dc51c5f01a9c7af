"""Identifier tags, against the vectors of RFC 9497 and against a second implementation on libsodium."""

import hashlib
import hmac

import pytest
import rbcl
from hypothesis import given, strategies as st
from voprf.ristretto import Client, Evaluator

from ugly_mugs.vault import IdentifierTags, VaultError
from ugly_mugs.vault.tags import INFO

SEED = bytes(range(32))
TAGS = IdentifierTags(SEED, b"s" * 32)
_CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"


def reference_hash(message: bytes, label: bytes) -> bytes:
    """expand_message_xmd of RFC 9380 with SHA-512, 64 bytes."""
    separation = label + _CONTEXT
    separation += bytes([len(separation)])
    first = hashlib.sha512(bytes(128) + message + (64).to_bytes(2, "big") + b"\0" + separation).digest()
    return hashlib.sha512(first + b"\1" + separation).digest()


def reference_key(seed: bytes, info: bytes) -> bytes:
    """DeriveKeyPair of RFC 9497 with counter 0; a higher counter is needed with negligible probability only."""
    message = seed + len(info).to_bytes(2, "big") + info + b"\0"
    return bytes(rbcl.crypto_core_ristretto255_scalar_reduce(reference_hash(message, b"DeriveKeyPair")))


def reference_output(key: bytes, message: bytes) -> bytes:
    """Evaluate of RFC 9497 in VOPRF mode."""
    element = rbcl.crypto_core_ristretto255_from_hash(reference_hash(message, b"HashToGroup-"))
    point = rbcl.crypto_scalarmult_ristretto255(key, element)
    framed = len(message).to_bytes(2, "big") + message + len(point).to_bytes(2, "big") + point
    return hashlib.sha512(framed + b"Finalize").digest()


# RFC 9497 appendix A.1.2 (ristretto255-SHA512, VOPRF mode).
RFC_SEED = b"\xa3" * 32
RFC_INFO = b"test key"
RFC_SECRET_KEY = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
RFC_PUBLIC_KEY = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
RFC_VECTORS = [
    (
        b"\0",
        "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
        "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    ),
    (
        b"\x5a" * 17,
        "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
        "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
    ),
]


@pytest.mark.parametrize(("message", "output"), RFC_VECTORS)
def test_both_implementations_give_the_vectors_of_rfc_9497(message: bytes, output: str) -> None:
    library = Evaluator.from_seed(RFC_SEED, RFC_INFO)
    key = reference_key(RFC_SEED, RFC_INFO)

    assert library.public_key.serialize().hex() == RFC_PUBLIC_KEY
    assert library.evaluate_known_input(message).hex() == output
    assert key.hex() == RFC_SECRET_KEY
    assert reference_output(key, message).hex() == output


@given(st.sampled_from(["phone", "email", "plate"]), st.text(min_size=1, max_size=200))
def test_a_secret_point_is_what_a_second_implementation_computes(kind: str, identifier: str) -> None:
    message = kind.encode() + b"\0" + identifier.encode()

    assert TAGS.secret_point(kind, identifier) == reference_output(reference_key(SEED, INFO), message)


def test_a_blinded_evaluation_gives_the_same_point() -> None:
    evaluator = Evaluator.from_seed(SEED, INFO)
    client, blinded = Client.blind(b"phone\0+447700900123")

    output = client.finalize(evaluator.evaluate(blinded), evaluator.public_key)

    assert output == TAGS.secret_point("phone", "+447700900123")


def test_the_same_identifier_of_another_kind_has_another_point() -> None:
    assert TAGS.secret_point("handle", "robin") != TAGS.secret_point("name", "robin")


@pytest.mark.parametrize(("kind", "identifier"), [("", "x"), ("phone", ""), ("", ""), ("pho\0ne", "x")])
def test_an_empty_identifier_or_an_ambiguous_kind_has_no_tag(kind: str, identifier: str) -> None:
    with pytest.raises(VaultError):
        TAGS.secret_point(kind, identifier)


def test_the_tags_are_computed_as_documented() -> None:
    point = TAGS.secret_point("phone", "+447700900123")

    assert TAGS.series_tag(point) == hmac.new(b"s" * 32, point, hashlib.sha256).digest()
    assert TAGS.checker_tag(point) == hashlib.sha256(b"checker" + point).digest()[:8]
    assert TAGS.checker_tag(point) not in TAGS.series_tag(point)


def test_another_root_has_other_points_and_another_series_key_other_tags() -> None:
    point = TAGS.secret_point("phone", "+447700900123")

    assert IdentifierTags(bytes(32), b"s" * 32).secret_point("phone", "+447700900123") != point
    assert IdentifierTags(SEED, b"t" * 32).series_tag(point) != TAGS.series_tag(point)
