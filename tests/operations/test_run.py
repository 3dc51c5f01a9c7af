"""`make run` in a fresh clone that holds only the project's files."""

import shutil
import sqlite3
import subprocess
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.make.pages import hidden
from tests.operations.running import PATIENCE, Run, three_free_ports
from tests.rules.project import ROOT


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all files that git tracks or would add; ignored files are left out."""
    folder = tmp_path_factory.mktemp("newcomer") / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def make(target: str, clone: Path, port: int, output: Path) -> Run:
    return Run(
        ["make", "--no-print-directory", target, f"PORT={port}"],
        cwd=clone,
        folder=clone / "var",
        port=port,
        output=output,
    )


def reports_in(clone: Path) -> int:
    with closing(
        sqlite3.connect(f"file:{clone / 'var' / 'ugly-mugs.sqlite3'}?mode=ro", uri=True)
    ) as database:
        return int(database.execute("SELECT count(*) FROM reports").fetchone()[0])


def file_a_report(port: int) -> None:
    address = f"http://127.0.0.1:{port}/report"
    with urllib.request.urlopen(address, timeout=PATIENCE) as page:
        token = hidden(page.read().decode(), "token")
    form = urllib.parse.urlencode({"token": token, "happened.account": "Invented, for a test."})
    with urllib.request.urlopen(address, data=form.encode(), timeout=PATIENCE) as response:
        assert response.status == 200


def test_a_try_out_starts_stops_starts_again_and_resets_its_data(clone: Path, tmp_path: Path) -> None:
    port = three_free_ports()
    run = make("run", clone, port, tmp_path / "first")
    try:
        run.until_it_runs()
        first = run.demo()
        before = reports_in(clone)
        file_a_report(port)
        run.interrupt()
        assert run.survivors() == []

        run = make("run", clone, port, tmp_path / "second")
        run.until_it_runs()
        assert run.demo() == first
        assert reports_in(clone) == before + 1

        reset = make("demo", clone, port, tmp_path / "while it runs")
        assert reset.process.wait(timeout=PATIENCE) == 0, reset.printed()
        second = run.demo()
        assert second["staff"][0]["passphrase"] != first["staff"][0]["passphrase"]
        assert reports_in(clone) == before
        assert run.status("/readyz") == 200
        run.interrupt()
        assert run.survivors() == []

        reset = make("demo", clone, port, tmp_path / "while nothing runs")
        assert reset.process.wait(timeout=PATIENCE) == 0, reset.printed()
        assert run.demo()["staff"][0]["passphrase"] != second["staff"][0]["passphrase"]
        assert files_not_ignored(clone) == set()
    finally:
        run.end()


def files_not_ignored(clone: Path) -> set[str]:
    """The files of a try-out must not appear in `git status` or in a commit."""
    made = [
        path.name
        for path in clone.iterdir()
        if not (ROOT / path.name).exists() or path.name in (".venv", "var")
    ]
    assert made
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *(f"{name}/" for name in made)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return set(made) - {name.rstrip("/") for name in ignored}
