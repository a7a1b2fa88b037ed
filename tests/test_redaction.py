"""What is taken out of texts takes no longer than reading them, whatever they are made of."""

import time

import pytest

from grocery.redaction import without_people, without_rows


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a.",
        "-eyJ",
        "eyJa.b",
        "Bearer ",
        "/t/",
        "1 ",
        "1-",
        "Key (",
        "Key ()=(",
        "Key (a)=(\n",
        "Failing row contains \n",
        "invalid input value for ",
        "LINE 1: \n",
        "/notify/sms/",
    ],
)
def test_a_long_text_stops_nobody(piece: str) -> None:
    """Python searches with all threads stopped: what took seconds for a body of this size stopped the process."""
    started = time.process_time()
    without_people(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 5


def test_what_comes_after_a_value_is_kept() -> None:
    words = "null value\nDETAIL:  Failing row contains (1, Plot 5\nNgong Road).\nCONTEXT:  COPY orders\n\n[SQL: INSERT]"
    assert without_rows(words) == "null value\nDETAIL:  Failing row contains …\nCONTEXT:  COPY orders\n\n[SQL: INSERT]"
