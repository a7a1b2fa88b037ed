"""Cells that a spreadsheet would run: `=cmd|…` in a product's name must not become a command on the grocer's desk.

An export puts an apostrophe before such a cell, and before one that already looks like that; an import takes one away.
So both together change nothing. Source of the list: https://owasp.org/www-community/attacks/CSV_Injection
"""

import re

# Full-width signs too: spreadsheets set to Chinese or Japanese take them for the plain ones.
_STARTS = "=+\\-@\t\r＝＋－＠"
_FORMULA = re.compile(f"'*[{_STARTS}]")
_ESCAPED = re.compile(f"'+[{_STARTS}]")


def escape(cell: str) -> str:
    """The cell with an apostrophe before it, if a spreadsheet would take it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescape(cell: str) -> str:
    """What was given to `escape`."""
    return cell[1:] if _ESCAPED.match(cell) else cell
