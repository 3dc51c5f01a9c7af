"""(d) Whoever tries every number and every code finds nobody with the database and no member with the service file."""

import hashlib
import hmac

import pytest

from tests.thief.guess import NUMBERS, Guesses, Stored, fingerprint, with_the_database, with_the_service_file
from tests.thief.haul import id_of
from tests.thief.scenes import Scene
from ugly_mugs.text.identifiers import IdentifierKind, normalise
from ugly_mugs.vault import ServiceFile, ServiceVault
from ugly_mugs.vault.keys import keyfiles


def guesses(scene: Scene) -> Guesses:
    return Guesses(right=(*scene.walked.codes, *scene.walked.unused_codes))


def few_guesses(scene: Scene) -> Guesses:
    """What the planted defects are found with; the real search tries everything."""
    right = guesses(scene).right
    return Guesses(
        right, numbers=(written(scene.canaries.offender_phone),), codes=tuple(map(str.encode, right))
    )


def written(phone: str) -> str:
    return normalise(IdentifierKind.PHONE, phone)


def service_file(scene: Scene) -> ServiceFile:
    return keyfiles.load_service(scene.stack.keys)


def test_every_number_of_the_journey_is_tried(scene: Scene) -> None:
    assert {written(phone) for phone in scene.canaries.phones} <= set(NUMBERS)


@pytest.mark.parametrize("length", [0, 32, 64, 65, 200])
def test_fingerprints_are_those_of_the_standard_library(length: int) -> None:
    key = bytes(range(length))

    assert fingerprint(key, b"before")(b"text") == hmac.digest(key, b"beforetext", "sha256")


def test_with_the_database_nothing_can_be_guessed(scene: Scene) -> None:
    assert with_the_database(Stored(scene.haul), guesses(scene)) == set()


def test_with_the_service_file_only_the_alleged_offenders_number_can_be_found(scene: Scene) -> None:
    found = with_the_service_file(Stored(scene.haul), service_file(scene), guesses(scene))

    assert found == {("identifier_tags.tag", written(scene.canaries.offender_phone))}


def test_an_unkeyed_tag_is_found_out(scene: Scene) -> None:
    number, code = written(scene.canaries.offender_phone), scene.walked.unused_codes[0]
    haul = scene.haul.copy()
    haul.rows["identifier_tags"][0]["tag"] = hashlib.sha256(number.encode()).digest()
    haul.rows["sign_in_codes"][0]["code"] = hashlib.sha1(code.encode()).digest()[:16]
    salt = next(row["tag"] for row in haul.rows["addresses"] if row["tag"] is not None)
    haul.rows["members"][0]["locator"] = hmac.digest(salt, number.encode(), "sha256")

    found = with_the_database(Stored(haul), few_guesses(scene))

    assert found == {
        ("identifier_tags.tag", number),
        ("sign_in_codes.code", code),
        ("members.locator", number),
    }


def test_a_member_kept_under_the_service_root_is_found_out(scene: Scene) -> None:
    number, code = written(scene.canaries.offender_phone), scene.walked.unused_codes[0]
    vault, haul = ServiceVault(service_file(scene)), scene.haul.copy()
    haul.rows["addresses"][0]["tag"] = vault.keyed("rest", b"address", number.encode())
    row = next(each for each in haul.rows["sign_in_codes"] if each["address_id"] is not None)
    row["code"] = vault.code_mac(id_of(row["id"]), b"", code)

    found = with_the_service_file(Stored(haul), service_file(scene), few_guesses(scene))

    assert found - {("identifier_tags.tag", number)} == {
        ("addresses.tag", number),
        ("sign_in_codes.code", code),
    }
