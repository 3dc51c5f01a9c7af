"""The table of every column in `docs/threat-model.md`: `python -m tests.rules.columns` writes it anew."""

from pathlib import Path

import sqlalchemy as sa

from tests.rules.project import ROOT, load_models
from ugly_mugs.database.columns import Model

PAGE = ROOT / "docs" / "threat-model.md"
BEGIN, END = "<!-- columns -->", "<!-- end of columns -->"


def declared(column: sa.Column[object]) -> str:
    """What the column holds, in words; ValueError when nobody said."""
    holds = column.info.get("holds")
    if holds in ("sealed", "keyed"):
        return f"{holds}: {column.info['under']}"
    if holds == "clear":
        return f"clear: {column.info['what'].value}"
    raise ValueError(f"{column.table.name}.{column.name} does not say what it holds")


def table() -> str:
    load_models()
    rows = ["| table | column | holds |", "| --- | --- | --- |"]
    for name in sorted(Model.metadata.tables):
        for column in Model.metadata.tables[name].columns:
            rows.append(f"| `{name}` | `{column.name}` | {declared(column)} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """The table as it stands between the marks of the page."""
    _, _, rest = page.partition(BEGIN)
    inside, _, _ = rest.partition(END)
    return inside.strip()


def write(file: Path = PAGE) -> None:
    page = file.read_text("utf-8") if file.exists() else "# Threat model\n"
    if BEGIN not in page:
        page = f"{page.rstrip()}\n\n## Every column\n\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    write()
