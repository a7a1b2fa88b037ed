"""What must hold for each page, whoever sees it: axe's rules, and those of ours that axe does not have."""

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import BrowserContext, Page

#: WCAG 2.2 AA. A plain run would skip the size of targets.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_OWN = Path(__file__).with_name("page_checks.js").read_text()

# A bar that sticks to the window hides what can be scrolled from below it: `find_covered_stops` looks at that.
_RUN_AXE = """options => {
    document.querySelectorAll(".bar").forEach((bar) => { bar.style.position = "static"; });
    return axe.run(document, options).then(({ violations }) => violations);
}"""

_MOST_STOPS = 80


def add_checks(context: BrowserContext) -> None:
    """Before the pages are opened; their policy lets no script in later."""
    context.add_init_script(_AXE + "\n" + _OWN)


def find_faults(page: Page, language: str = "en") -> list[str]:
    """Of our own rules: size of targets, width, labels, outline, ids, and words that are none."""
    faults: list[str] = page.evaluate("language => pageFaults(language)", language)
    return faults


def find_violations(page: Page, *rules: str) -> list[str]:
    """Of axe's rules, or of these alone."""
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": _TAGS}
    found = page.evaluate(_RUN_AXE, {"runOnly": only, "resultTypes": ["violations"]})
    return [f"{one['id']}: {_where(node)}" for one in found for node in one["nodes"][:3]]


def find_covered_stops(page: Page) -> list[str]:
    """Go through the page with the Tab key; where what has the focus is hidden by something else."""
    faults = []
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate("focusFault()")
        if not found:
            break
        if found != "ok":
            faults.append(found)
    return faults


def _where(node: dict[str, Any]) -> str:
    return f"{' '.join(map(str, node['target']))} ({' '.join(node['failureSummary'].split())[:160]})"
