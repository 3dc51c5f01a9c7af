"""`make soak`: people file reports for many minutes, while losses, faults and memory are watched."""

import argparse
import re
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console

from tests.make.processes.stack import Stack, installed

AT_ONCE = 8
WARM_UP = 30.0
# What a process may grow by between the end of the warm-up and the end.
MAY_GROW = 1.25


@dataclass
class Tally:
    """What became of everything that was sent."""

    filed: int = 0
    refused: int = 0
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int, seconds: float) -> None:
        with self.lock:
            self.filed += status == 200
            self.refused += status != 200
            self.slowest = max(self.slowest, seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    seconds = parser.parse_args(arguments).minutes * 60
    console = Console()
    with tempfile.TemporaryDirectory() as folder, installed("sqlite", Path(folder) / "stack") as stack:
        stack.start()
        stack.wait_ready()
        tally, before, after = _file_for(stack, seconds, console)
        in_database = _reports(Path(folder) / "stack" / "database.sqlite3")
        faults = [name for name in ("web", "worker") if '"level": "error"' in stack.log(name)]
    console.print(f"{tally.filed:,} filed, {tally.refused} refused, the slowest took {tally.slowest:.2f} s")
    problems = [f"{tally.refused} were refused"] if tally.refused else []
    if in_database != tally.filed:
        problems.append(f"{tally.filed} were accepted and {in_database} are there")
    problems += [f"{name} logged a fault" for name in faults]
    for name, size in after.items():
        console.print(f"{name}: {before[name]:.0f} MB after the warm-up, {size:.0f} MB at the end")
        if size > before[name] * MAY_GROW:
            problems.append(f"{name} grows")
    console.print("; ".join(problems) or "Nothing was lost, and nothing grows.")
    return 1 if problems else 0


def _file_for(
    stack: Stack, seconds: float, console: Console
) -> tuple[Tally, dict[str, float], dict[str, float]]:
    tally, stop = Tally(), threading.Event()
    people = [threading.Thread(target=_keep_filing, args=(stack.web, tally, stop)) for _ in range(AT_ONCE)]
    for person in people:
        person.start()
    began, before = time.monotonic(), {}
    while time.monotonic() - began < seconds:
        time.sleep(min(5.0, seconds / 10))
        if not before and time.monotonic() - began >= min(WARM_UP, seconds / 2):
            before = memory(stack)
        console.print(f"{time.monotonic() - began:5.0f} s: {tally.filed:,} filed", end="\r")
    stop.set()
    for person in people:
        person.join()
    return tally, before, memory(stack)


def _keep_filing(web: str, tally: Tally, stop: threading.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        tally.note(_file(web), time.monotonic() - began)


def _file(web: str) -> int:
    """The status of one whole flow: the form, then what was written into it."""
    try:
        with urllib.request.urlopen(f"{web}/report", timeout=60) as page:
            token = re.search(r'name="token" value="([^"]+)"', page.read().decode())
        if token is None:
            return 0
        form = urllib.parse.urlencode(
            {"token": token[1], "happened.account": "Invented, for a long run. " * 40}
        )
        with urllib.request.urlopen(f"{web}/report", data=form.encode(), timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return 0


def memory(stack: Stack) -> dict[str, float]:
    """Resident megabytes of web and worker, with everything they started."""
    return {
        name: sum(process.memory_info().rss for process in (leader, *leader.children(recursive=True))) / 2**20
        for name, leader in ((name, psutil.Process(stack.pid(name))) for name in ("web", "worker"))
    }


def _reports(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        return int(opened.execute("SELECT count(*) FROM reports").fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
