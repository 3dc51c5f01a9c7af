"""The launcher: all processes start and end together, and a failed start prints the reason."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.operations.running import PATIENCE, Run, launcher, three_free_ports, wait_for


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one try-out, shared by the tests of this module because making it takes long."""
    return tmp_path_factory.mktemp("try-out") / "var"


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Iterator[Run]:
    running = launcher("run", folder=folder, port=three_free_ports(), output=tmp_path / "printed")
    yield running
    running.end()


def test_it_starts_everything_and_ctrl_c_leaves_nothing(run: Run) -> None:
    run.until_it_runs()
    assert (run.status("/healthz"), run.status("/readyz"), run.status("/", step=1)) == (200, 200, 200)
    # The launcher, gunicorn and its two workers, the worker, the sandbox.
    assert len(run.family) >= 6

    run.interrupt()

    assert run.process.returncode == 0
    assert run.survivors() == []


def test_logins_are_printed_and_kept_for_their_owner_only(run: Run) -> None:
    run.until_it_runs()

    for person in run.demo()["staff"]:
        assert person["login"] in run.printed()
        assert person["passphrase"] in run.printed()
    assert (run.folder / "keys" / "demo.json").stat().st_mode & 0o777 == 0o600
    assert run.folder.stat().st_mode & 0o077 == 0


def test_all_processes_listen_on_the_loopback_address_only(run: Run) -> None:
    run.until_it_runs()

    listening = {
        connection.laddr.ip
        for process in run.family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_when_one_process_ends_the_others_are_stopped_and_it_is_named(run: Run) -> None:
    run.until_it_runs()
    worker = next(process for process in run.family if "worker" in process.cmdline())

    worker.kill()
    run.process.wait(timeout=PATIENCE)

    assert run.process.returncode == 1
    assert "worker has ended by itself" in run.printed()
    assert run.survivors() == []


def test_killing_the_launcher_leaves_no_child(run: Run) -> None:
    run.until_it_runs()

    run.process.kill()
    run.process.wait()

    wait_for(lambda: not run.survivors(), what="children outlived the launcher")


def test_a_second_run_in_the_same_folder_is_refused(run: Run, tmp_path: Path) -> None:
    run.until_it_runs()

    second = launcher("run", folder=run.folder, port=three_free_ports(), output=tmp_path / "second")
    second.process.wait(timeout=PATIENCE)

    assert second.process.returncode == 1
    assert "is running here already" in second.printed()


def test_a_taken_port_is_named(folder: Path, tmp_path: Path) -> None:
    port = three_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        run = launcher("run", folder=folder, port=port, output=tmp_path / "printed")
        run.process.wait(timeout=PATIENCE)

    assert run.process.returncode == 1
    assert f"uses port {port + 1}." in run.printed()
