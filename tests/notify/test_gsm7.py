"""What an SMS costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery.notify.wording import gsm7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("Order G-7K3M9Q, KES 1,250. Thank you!\n", True),
        ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", True),
        ("^{}\\[~]|€\f", True),
        ("ç", False),
        ("’", False),
        ("`", False),
        ("ĩ", False),
        ("\t", False),
        ("\x1b", False),
        ("👋", False),
    ],
)
def test_alphabet_is_that_of_gsm_03_38(text: str, expected: bool) -> None:
    assert gsm7.is_gsm7(text) is expected


def test_alphabet_has_127_characters_and_10_escaped_ones() -> None:
    """128 places, of which one is the escape itself."""
    costs = [gsm7.length(chr(code)) for code in range(0x10000) if gsm7.is_gsm7(chr(code))]

    assert (costs.count(1), costs.count(2), len(costs)) == (127, 10, 137)


@pytest.mark.parametrize(
    ("text", "length", "parts"),
    [
        ("", 0, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("€" * 80 + "a", 161, 2),
        # 153 septets do not hold the 77th euro whole: it opens the second part.
        ("€" * 152, 304, 2),
        ("€" * 153, 306, 3),
        ("ĩ" * 70, 70, 1),
        ("ĩ" * 71, 71, 2),
        ("ĩ" * 134, 134, 2),
        ("ĩ" * 135, 135, 3),
        ("👋" * 35, 70, 1),
        ("👋" * 36, 72, 2),
        ("👋" * 66, 132, 2),
        ("👋" * 67, 134, 3),
        # One foreign character makes all of them dear, the escaped ones cheaper.
        ("a" * 70 + "ĩ", 71, 2),
        ("€ĩ", 2, 1),
    ],
)
def test_length_and_parts(text: str, length: int, parts: int) -> None:
    assert (gsm7.length(text), gsm7.parts(text)) == (length, parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ngũgĩ’s “Best” – café…", 'Ngugi\'s "Best" - café...'),
        ("Müller & Ñandú à la carte", "Müller & Ñandu à la carte"),
        ("½ kg × 2", "1/2 kg x 2"),
        ("Ａ１", "A1"),
        ("no\u00a0break", "no break"),
        ("سوق", "سوق"),
        ("👋", "👋"),
    ],
)
def test_simplify_keeps_what_reads_the_same(text: str, expected: str) -> None:
    assert gsm7.simplify(text) == expected


def test_shorten_leaves_what_fits() -> None:
    assert gsm7.shorten("a" * 30, 30) == "a" * 30


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abcdefgh", 5, "abc.."),
        ("abc efgh", 6, "abc.."),
        ("€€€€", 6, "€€.."),
        ("ĩĩĩĩĩ", 4, "ĩĩ.."),
    ],
)
def test_shorten_marks_the_cut(text: str, limit: int, expected: str) -> None:
    assert gsm7.shorten(text, limit) == expected


@given(st.text(), st.integers(2, 200))
def test_shortened_text_is_within_the_limit(text: str, limit: int) -> None:
    assert gsm7.length(gsm7.shorten(text, limit)) <= limit


@given(st.text())
def test_simplified_text_is_never_dearer(text: str) -> None:
    """In 7 bits it may have more characters than before, but never more parts."""
    simple = gsm7.simplify(text)

    assert gsm7.simplify(simple) == simple
    if not gsm7.is_gsm7(simple):
        assert not gsm7.is_gsm7(text)
