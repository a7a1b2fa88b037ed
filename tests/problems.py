"""Errors as clients see them."""

from typing import Any


def assert_problem(answer: Any, status: int, code: str) -> None:
    """It is a problem document with this status and code."""
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert answer.mimetype == "application/problem+json"
