"""Elements of pages, by their ids."""

import re


def part_of(markup: str, part_id: str) -> str:
    """The markup of the element with this id; "" without one."""
    found = re.search(rf'<(\w+)\b[^>]*? id="{re.escape(part_id)}"', markup)
    if not found:
        return ""
    depth, begin = 0, found.start()
    for tag in re.compile(rf"<(/?){found[1]}\b").finditer(markup, begin):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return markup[begin : markup.index(">", tag.end()) + 1]
    return markup[begin:]
