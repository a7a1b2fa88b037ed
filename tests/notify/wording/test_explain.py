"""What an SMS takes, and why."""

import pytest

from grocery.notify.wording.gsm7 import Explanation, explain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Explanation("GSM-7", 0, 1, ())),
        ("Habari", Explanation("GSM-7", 6, 1, ())),
        ("5 €", Explanation("GSM-7", 4, 1, ())),
        ("x" * 161, Explanation("GSM-7", 161, 2, ())),
        ("Ngũgĩ’s ũ", Explanation("UCS-2", 9, 1, ("ũ", "ĩ", "’"))),
        ("x" * 70 + "😀", Explanation("UCS-2", 72, 2, ("😀",))),
    ],
)
def test_explanation(text: str, expected: Explanation) -> None:
    assert explain(text) == expected
