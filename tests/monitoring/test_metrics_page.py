"""docs/metrics.md has every metric that there is, with its type, and no other."""

import re
from pathlib import Path

from tests.monitoring.exposed import exposed_types

PAGE = Path(__file__).parent.parent.parent / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(grocery_\w+)` \| (\w+) \|([^|]*)\| (.+) \|$", re.MULTILINE)


def test_every_metric_is_described(scrape: str) -> None:
    described = {name: kind for name, kind, _, _ in _ROW.findall(PAGE.read_text())}
    assert described == exposed_types(scrape)


def test_labels_are_those_of_the_scrape(scrape: str) -> None:
    described = {name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels, _ in _ROW.findall(PAGE.read_text())}
    wrong = []
    for name, labels in re.findall(r"^(\w+?)(?:_bucket|_count|_sum)?\{(.*)\} ", scrape, re.MULTILINE):
        family = name if name in described else name.removesuffix("_total")
        found = set(re.findall(r'(\w+)="', labels)) - {"le"}
        if found != described[family]:
            wrong.append((name, found))
    assert wrong == []


def test_files_that_are_named_exist() -> None:
    root = PAGE.parent.parent
    for name in re.findall(r"^\| `([\w-]+\.\w+)` \|", PAGE.read_text(), re.MULTILINE):
        assert (root / "deploy" / "monitoring" / name).is_file()
