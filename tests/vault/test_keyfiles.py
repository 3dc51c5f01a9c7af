"""The two key files."""

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from ugly_mugs.vault import EpochMark, KeyFileProblem
from ugly_mugs.vault.keys import keyfiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_created_keys_are_loaded_unchanged(folder: Path) -> None:
    service, worker = keyfiles.create(folder, demo=True)

    assert keyfiles.load_service(folder) == service
    assert keyfiles.load_worker(folder) == worker
    assert service.demo is True


def test_two_installations_share_nothing(tmp_path: Path) -> None:
    one, other = keyfiles.create(tmp_path / "one"), keyfiles.create(tmp_path / "other")

    assert one[0].ring != other[0].ring
    assert one[1].ring != other[1].ring
    assert one[1].dispatch_seed != other[1].dispatch_seed


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_modes_do_not_depend_on_the_umask(folder: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        keyfiles.create(folder)
    finally:
        os.umask(before)

    assert (mode(folder), mode(folder / "service.key"), mode(folder / "worker.key")) == (0o750, 0o640, 0o600)


def test_nothing_but_the_two_files_is_left(folder: Path) -> None:
    keyfiles.create(folder)
    keyfiles.save_service(folder, keyfiles.load_service(folder))

    assert sorted(path.name for path in folder.iterdir()) == ["service.key", "worker.key"]


@pytest.mark.parametrize("name", ["service.key", "worker.key"])
def test_existing_keys_are_never_overwritten(folder: Path, name: str) -> None:
    keyfiles.create(folder)
    kept = (folder / name).read_bytes()
    for other in {"service.key", "worker.key"} - {name}:
        (folder / other).unlink()

    with pytest.raises(KeyFileProblem, match="never overwritten"):
        keyfiles.create(folder)

    assert (folder / name).read_bytes() == kept
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("name", ["service.key", "worker.key"])
def test_a_file_that_appears_while_keys_are_made_is_kept_and_nothing_else_left(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    (folder / name).write_text("of another process")
    monkeypatch.setattr(Path, "exists", lambda _: False, raising=True)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: None, raising=True)

    with pytest.raises(KeyFileProblem, match="never overwritten"):
        keyfiles.create(folder)

    assert (folder / name).read_text() == "of another process"
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize("load", [keyfiles.load_service, keyfiles.load_worker])
def test_the_error_for_a_missing_file_says_how_to_make_it(folder: Path, load: object) -> None:
    assert callable(load)
    with pytest.raises(KeyFileProblem, match="flask keys init"):
        load(folder)


@pytest.mark.parametrize("open_mode", [0o640, 0o604, 0o620, 0o644])
def test_a_worker_file_open_to_anybody_else_is_refused(folder: Path, open_mode: int) -> None:
    keyfiles.create(folder)
    (folder / "worker.key").chmod(open_mode)

    with pytest.raises(KeyFileProblem, match="chmod 600"):
        keyfiles.load_worker(folder)


@pytest.mark.parametrize("open_mode", [0o644, 0o642, 0o641])
def test_a_service_file_open_to_everybody_is_refused(folder: Path, open_mode: int) -> None:
    keyfiles.create(folder)
    (folder / "service.key").chmod(open_mode)

    with pytest.raises(KeyFileProblem, match="chmod 640"):
        keyfiles.load_service(folder)


def damaged_contents(content: dict[str, object]) -> list[dict[str, object]]:
    key = base64.b64encode(bytes(32)).decode()
    return [
        {},
        {**content, "kind": "worker"},
        {**content, "format": 2},
        {**content, "ring": {}},
        {**content, "ring": {"0": key}},
        {**content, "ring": {"256": key}},
        {**content, "ring": {"1": key[:-8]}},
        {**content, "ring": {"1": "?" + key}},
        {**content, "ring": [key]},
        {**content, "dispatch_public": key},
        {**content, "epochs": None},
        {**content, "demo": "no"},
    ]


def test_each_kind_of_damage_is_reported_without_quoting_the_file(folder: Path) -> None:
    keyfiles.create(folder)
    path = folder / "service.key"
    content = json.loads(path.read_text())

    for damaged in [json.dumps(variant) for variant in damaged_contents(content)] + [
        "",
        "{",
        "[]",
        "null",
        "\x00",
    ]:
        path.write_text(damaged)
        with pytest.raises(KeyFileProblem, match="damaged") as caught:
            keyfiles.load_service(folder)
        assert content["ring"]["1"] not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_worker_file_in_place_of_the_service_file_is_refused(folder: Path) -> None:
    keyfiles.create(folder)
    (folder / "service.key").write_bytes((folder / "worker.key").read_bytes())

    with pytest.raises(KeyFileProblem, match="no service key file"):
        keyfiles.load_service(folder)


def test_a_new_epoch_is_marked_beside_the_former_ones(folder: Path) -> None:
    keyfiles.create(folder)
    keyfiles.mark_epoch(folder, name="desk", number=1, fingerprint=b"a" * 32)

    file = keyfiles.mark_epoch(folder, name="desk", number=2, fingerprint=b"b" * 32)

    assert file.epochs == {"desk": [EpochMark(1, b"a" * 32), EpochMark(2, b"b" * 32)]}
    assert keyfiles.load_service(folder) == file
    assert mode(folder / "service.key") == 0o640


def test_saving_keeps_the_group_that_lets_the_worker_read(folder: Path) -> None:
    keyfiles.create(folder)
    groups = os.getgroups() or [os.getgid()]
    os.chown(folder / "service.key", -1, groups[-1])

    keyfiles.save_service(folder, keyfiles.load_service(folder))

    assert (folder / "service.key").stat().st_gid == groups[-1]


def test_saving_does_not_create_a_missing_file(folder: Path) -> None:
    service, _ = keyfiles.create(folder)
    (folder / "service.key").unlink()

    with pytest.raises(KeyFileProblem, match="missing"):
        keyfiles.save_service(folder, service)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyFileProblem, match="cannot be written"):
        keyfiles.create(tmp_path / "file" / "keys")


def test_a_process_knows_whether_it_could_read_the_workers_keys(folder: Path) -> None:
    assert keyfiles.worker_file_readable(folder) is False

    keyfiles.create(folder)

    assert keyfiles.worker_file_readable(folder) is True


def test_key_files_do_not_print_themselves(folder: Path) -> None:
    service, worker = keyfiles.create(folder)

    for secret in (service.ring[1], worker.ring[1], worker.dispatch_seed[:16]):
        assert secret.hex() not in repr(service) + repr(worker)
        assert repr(secret)[2:-1] not in repr(service) + repr(worker)
    assert "ring" not in repr(service) + repr(worker)
