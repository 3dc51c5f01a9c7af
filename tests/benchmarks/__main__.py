"""`make bench`: every figure beside its bar, printed as it is measured, and all of them in `build/bench.json`.

A module of this folder that has a function `figures` takes part; names given on the command line choose some.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Figure

FOLDER = Path(__file__).parent
RESULT = Path("build") / "bench.json"
Measure = Callable[[], Iterable[Figure]]


def measures() -> dict[str, Measure]:
    """What can be measured, by the name of its module."""
    found = {}
    for file in sorted(FOLDER.glob("*.py")):
        # Looked for in the text: some files here are programs of their own, not to be imported.
        if "\ndef figures(" in file.read_text("utf-8"):
            found[file.stem] = importlib.import_module(f"tests.benchmarks.{file.stem}").figures
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    known = measures()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *known], help="all of them when none is named")
    names = parser.parse_args(arguments).names or list(known)
    console, began = Console(width=140), time.monotonic()
    measured: list[Figure] = []
    for name in names:
        console.print(f"{name} …", style="dim")
        for figure in known[name]():
            measured.append(figure)
            console.print(_line(figure))
    console.print(_table(measured))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([figure.as_json() for figure in measured], indent=1) + "\n", "utf-8")
    short = [figure.name for figure in measured if not figure.holds]
    console.print(f"{len(measured)} figures in {time.monotonic() - began:.0f} s, also in {RESULT}.")
    if short:
        console.print(f"Not reached: {', '.join(short)}", style="bold")
    return 0


def _line(figure: Figure) -> str:
    return f"  {figure.name}: {figure.value:,.4g} {figure.unit}"


def _table(figures: Iterable[Figure]) -> Table:
    table = Table("what", "measured", "bar", "holds")
    for figure in figures:
        table.add_row(
            figure.name, f"{figure.value:,.4g} {figure.unit}", figure.bar, "yes" if figure.holds else "NO"
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
