"""The names of metrics: those that a scrape has, and those that an expression asks for."""

import re

_FAMILY = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)


def exposed_types(scrape: str) -> dict[str, str]:
    """Families by name, with their types. Those without samples are there, too."""
    return dict(_FAMILY.findall(scrape))


def exposed_samples(scrape: str) -> set[str]:
    """The names that samples of the families have or would have."""
    names = set()
    for name, kind in exposed_types(scrape).items():
        names |= {f"{name}{suffix}" for suffix in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def names_in(expression: str) -> set[str]:
    """Metrics that an expression asks for: all words outside of braces and by-clauses that have an underscore and are
    no function."""
    bare = re.sub(r"\{[^}]*\}|\b(?:by|on) \([^)]*\)|\"[^\"]*\"|\[[^]]*\]", " ", expression)
    return set(re.findall(r"\b[a-z]\w*_\w+\b(?!\s*\()", bare))
