"""The pages of the operator, for the tests that hold them to the program."""

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent.parent / "docs"
RUNBOOK = DOCS / "runbook.md"
TROUBLESHOOTING = DOCS / "troubleshooting.md"


def section(heading: str, page: Path = RUNBOOK) -> str:
    """The text below a heading of the second level."""
    text = page.read_text()
    assert f"\n## {heading}\n" in text, heading
    return re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of a kind, `console` or `sql`."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
