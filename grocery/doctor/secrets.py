"""Secrets that are there and long enough, and still can be guessed or give away one another."""

from collections import defaultdict
from collections.abc import Iterator

from grocery.doctor.confidential import named_secrets
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok, warning

# A random secret of 16 characters has more different ones than this, but in one case of a hundred thousand.
_FEW_CHARACTERS = 8

_TELLING = ("secret", "password", "changeme", "change-me", "example", "grocery", "12345678")
_REMEDY = "Make another one (python -c 'import secrets; print(secrets.token_urlsafe(32))'), and see docs/runbook.md."


def look(patient: Patient) -> Iterator[Finding]:
    """Says names of settings only."""
    secrets = {name: value for name, value in named_secrets(patient.settings) if value}
    is_all_well = True
    for finding in (*_weak(secrets), *_shared(secrets)):
        is_all_well = False
        yield finding
    if is_all_well:
        yield ok("No secret is easy to guess, and no two are the same.")


def _weak(secrets: dict[str, str]) -> Iterator[Finding]:
    for name, value in secrets.items():
        if len(set(value)) < _FEW_CHARACTERS:
            yield failure(f"{name} has only a few different characters: it can be guessed.", _REMEDY)
        elif any(word in value.lower() for word in _TELLING):
            yield warning(f"{name} has an ordinary word in it: it looks like one that was made up.", _REMEDY)


def _shared(secrets: dict[str, str]) -> Iterator[Finding]:
    by_value: dict[str, list[str]] = defaultdict(list)
    for name, value in secrets.items():
        by_value[value].append(name)
    for names in by_value.values():
        # Several addresses of one database have one password.
        others = [name for name in names if not name.startswith("DATABASE_")]
        if len(others) > 1 or (others and len(names) > len(others)):
            yield failure(f"{', '.join(names)} are the same: who learns one has them all.", _REMEDY)
