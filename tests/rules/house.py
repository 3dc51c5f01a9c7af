"""The floor plan as a picture, drawn from the imports that stand in the code: `make house`.

A room is a package directly under `reporting`, `alerts` or `ugly_mugs`; modules directly in `ugly_mugs` are rooms of
their own. A room's floor is one above the highest room that it imports. An arrow says "imports"; one that already
follows from a chain of other arrows is left out, and the picture says how many are drawn.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from tests.rules.project import PACKAGES, ROOT, name_of, parsed, sources

PICTURE = ROOT / "docs" / "pictures" / "house.svg"
WIDTH, HEIGHT, GAP, RISE, MARGIN = 150, 46, 16, 92, 20

Rooms = Mapping[str, frozenset[str]]


def room_of(module: str) -> str:
    """`reporting.filing.views` stands in `reporting.filing`, `ugly_mugs.jobs` in a room of its own."""
    return ".".join(module.split(".")[:2])


def imported_modules(file: Path, known: Iterable[str]) -> set[str]:
    """The modules of the project that a file imports, also those imported as a name of their package."""
    names = set(known)
    found: set[str] = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & names
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & names) or ({node.module} & names)
    return found


def rooms() -> Rooms:
    """Each room with the rooms that it imports. The packages themselves hold nothing and are left out."""
    files = {name_of(file): file for file in sources()}
    graph: dict[str, set[str]] = defaultdict(set)
    for module, file in files.items():
        here = room_of(module)
        if here in PACKAGES:
            continue
        graph[here] |= {room_of(other) for other in imported_modules(file, files)} - {here, *PACKAGES}
    return {room: frozenset(others) for room, others in sorted(graph.items())}


def floors(graph: Rooms) -> dict[str, int]:
    """The floor of each room, 0 for those that import no other; RecursionError where rooms import each other."""
    known: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in known:
            known[room] = max((floor(other) + 1 for other in graph[room]), default=0)
        return known[room]

    for room in graph:
        floor(room)
    return known


def needed_arrows(graph: Rooms) -> list[tuple[str, str]]:
    """The arrows that follow from no chain of others."""
    below: dict[str, set[str]] = {}

    def reached(room: str) -> set[str]:
        if room not in below:
            below[room] = set().union(*({other} | reached(other) for other in graph[room]))
        return below[room]

    return [
        (room, other)
        for room in graph
        for other in sorted(graph[room])
        if not any(other in reached(between) for between in graph[room] - {other})
    ]


def places(graph: Rooms) -> dict[str, tuple[float, float]]:
    """The upper left corner of each room: a row for each floor, each room near the middle of those it is tied to."""
    level, arrows = floors(graph), needed_arrows(graph)
    rows: dict[int, list[str]] = defaultdict(list)
    for room in graph:
        rows[level[room]].append(room)
    order = {room: float(number) for row in rows.values() for number, room in enumerate(row)}
    for _pass in range(24):
        for row in rows.values():
            for room in row:
                tied = [order[b] for a, b in arrows if a == room] + [order[a] for a, b in arrows if b == room]
                order[room] = sum(tied) / len(tied) if tied else order[room]
            row.sort(key=lambda room: (order[room], room))
            order |= {room: number - len(row) / 2 for number, room in enumerate(row)}
    widest = max(map(len, rows.values()))
    top = max(rows)
    return {
        room: (
            MARGIN + (widest - len(row)) * (WIDTH + GAP) / 2 + number * (WIDTH + GAP),
            MARGIN + (top - floor) * RISE,
        )
        for floor, row in rows.items()
        for number, room in enumerate(row)
    }


def svg() -> str:
    """The picture; the same imports give the same bytes."""
    graph = rooms()
    spots, arrows = places(graph), needed_arrows(graph)
    modules: dict[str, int] = defaultdict(int)
    for file in sources():
        if file.name != "__init__.py":
            modules[room_of(name_of(file))] += 1
    width = max(x for x, _y in spots.values()) + WIDTH + MARGIN
    height = max(y for _x, y in spots.values()) + HEIGHT + MARGIN + 30
    total = sum(map(len, graph.values()))
    said = (
        f"{len(graph)} rooms, {total} imports between them. Drawn are the {len(arrows)} that follow from no chain of "
        "others; every arrow runs down."
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{said}">',
        "<style>.ugly_mugs{fill:#f4f3f0}.reporting{fill:#dcebf0}.alerts{fill:#f6e3d3}.r{stroke:#245060;stroke-width:1.2}"
        ".t{fill:#1d242a;text-anchor:middle}.s{fill:#4c5860;font-size:11px;text-anchor:middle}.n{fill:#4c5860;font-size:12px}"
        ".a{stroke:#24506088;fill:none;marker-end:url(#h)}"
        "@media (prefers-color-scheme: dark){.ugly_mugs{fill:#1c2226}.reporting{fill:#1d3540}.alerts{fill:#46301f}"
        ".r{stroke:#9bcbdb}.t{fill:#e7eaec}.s,.n{fill:#a9b4ba}.a{stroke:#9bcbdb88}#h path{fill:#9bcbdb}}</style>",
        '<defs><marker id="h" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0 10 5 0 10z" fill="#245060"/></marker></defs>',
    ]
    for upper, lower in arrows:
        (x1, y1), (x2, y2) = spots[upper], spots[lower]
        start, end = (x1 + WIDTH / 2, y1 + HEIGHT), (x2 + WIDTH / 2, y2 - 2)
        bend = (end[1] - start[1]) / 2
        lines.append(
            f'<path class="a" d="M{start[0]:.0f} {start[1]:.0f}C{start[0]:.0f} {start[1] + bend:.0f} '
            f'{end[0]:.0f} {end[1] - bend:.0f} {end[0]:.0f} {end[1]:.0f}"/>'
        )
    for room, (x, y) in spots.items():
        package, _dot, name = room.partition(".")
        count = modules[room]
        lines.append(
            f'<rect class="r {package}" x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
            f'<text class="t" x="{x + WIDTH / 2:.0f}" y="{y + 20:.0f}">{escape(name)}</text>'
            f'<text class="s" x="{x + WIDTH / 2:.0f}" y="{y + 36:.0f}">{package}'
            f"{f', {count} modules' if count > 1 else ''}</text>"
        )
    lines.append(f'<text class="n" x="{MARGIN}" y="{height - 14:.0f}">{said}</text>')
    return "\n".join([*lines, "</svg>", ""])


def is_downward(graph: Rooms) -> bool:
    """Whether every import leads to a lower floor, which holds exactly when no rooms import each other."""
    level = floors(graph)
    return all(level[room] > level[other] for room in graph for other in graph[room])


if __name__ == "__main__":
    PICTURE.write_text(svg(), "utf-8")
    print(f"Drawn from the imports: {PICTURE.relative_to(ROOT)}")
