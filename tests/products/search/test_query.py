"""What shoppers type, as queries and patterns, without a database."""

import re

import pytest

from grocery.products.search.query import correct_words, parse_search
from grocery.products.search.synonyms import Part, Synonyms
from grocery.products.search.vocabulary import Vocabulary
from grocery.products.search.words import singular, words_of

SYNONYMS = Synonyms(
    [("unga", "maize flour"), ("unga wa ngano", "wheat flour"), ("sukuma wiki", "kale"), ("embe", "mango")]
)
WORDS = Vocabulary(
    {"milk": 9, "bread": 5, "baking": 7, "bakery": 8, "rice": 3, "strawberry": 2, "flour": 4, "powder": 1000},
    SYNONYMS,
)


def matches(typed: str) -> str:
    search = parse_search(typed, WORDS)
    assert search is not None
    return search.matches


@pytest.mark.parametrize(
    ("typed", "words"),
    [("Café  Ñandú", ["cafe", "nandu"]), ("Kellogg's 1.5L", ["kelloggs", "1", "5l"]), ("& | !:*", []), ("", [])],
)
def test_words_are_folded_and_hold_letters_and_digits_only(typed: str, words: list[str]) -> None:
    assert words_of(typed) == words


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("tomatoes", "tomato"),
        ("berries", "berry"),
        ("boxes", "box"),
        ("eggs", "egg"),
        ("glass", "glass"),
        ("hummus", "hummus"),
        ("gas", "gas"),
        ("pies", "pie"),
    ],
)
def test_plural_endings_go(word: str, expected: str) -> None:
    assert singular(word) == expected


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("milk", "milk:*"),
        ("milk bread", "milk & bread:*"),
        ("milk bake", "milk & (bake:* | bakery)"),
        ("flour powder", "flour & powder"),
        ("bakin", "(bakin:* | baking)"),
        ("s", "s:*"),
        ("5 kg rice", "5 & kg & rice:*"),
        ("unga", "(unga:* | (maize & flour))"),
        ("Maize Flours", "((maize & flours:*) | unga)"),
        ("sukuma wiki bread", "((sukuma & wiki) | kale) & bread:*"),
        ("unga wa ngano", "((unga & wa & ngano:*) | (wheat & flour))"),
        ("embes", "(embes:* | mango)"),
        ("mango", "(mango:* | embe)"),
    ],
)
def test_every_word_counts_with_what_it_may_go_on_to_or_is_called_else(typed: str, query: str) -> None:
    assert matches(typed) == query


def test_for_the_order_known_words_count_only_as_they_are() -> None:
    known, unfinished, nobodys = (parse_search(typed, WORDS) for typed in ("milk bread", "bak", "xyz"))
    assert known is not None
    assert known.ranks == "milk & bread"
    assert unfinished is not None
    assert unfinished.ranks == "(bakery | baking)"
    assert nobodys is not None
    assert nobodys.ranks == "xyz:*"


@pytest.mark.parametrize("typed", ["", " ", "&|!", ":*", "'", "%", "🥛"])
def test_without_a_word_there_is_nothing_to_search_for(typed: str) -> None:
    assert parse_search(typed, WORDS) is None


@pytest.mark.parametrize("typed", ["a.*b", "(x", "[a-z]+", "\\d", "a|b", "x{9}", "^$", "milk\\M", "a & !b:*"])
def test_nothing_that_is_typed_becomes_an_operator_or_a_pattern(typed: str) -> None:
    search = parse_search(typed, WORDS)
    if search is not None:
        assert set("\\.[]{}^$!") & set(search.matches + search.ranks) == set()
        assert all(re.fullmatch(r"[a-z0-9]+", word) for word in search.words)


@pytest.mark.parametrize(
    ("typed", "name", "is_called"),
    [
        ("rice", "Basmati Rice", True),
        ("rice", "Rice - Basmati, 5 kg", True),
        ("rice", "Akki/Rice", True),
        ("rice", "Rice Cooker", False),
        ("rice", "Cooker for Rice Lovers", False),
        ("rice", "Liquorice", False),
        ("kale", "Sukuma Wiki (Kale)", True),
        ("kale", "Sukuma Wiki", True),
        ("strawberry", "Strawberries, 250 g", True),
        ("strawberries", "Strawberry 250 g", True),
        ("str", "Fresh Strawberry", True),
        ("milk bread", "Brown Bread", True),
    ],
)
def test_names_say_at_the_end_of_a_part_what_a_thing_is(typed: str, name: str, is_called: bool) -> None:
    search = parse_search(typed, WORDS)
    assert search is not None
    assert bool(re.search(search.names, name, re.IGNORECASE)) is is_called


def test_synonyms_hold_in_both_directions_and_in_either_number() -> None:
    assert SYNONYMS.meanings_of(["unga"]) == (("maize", "flour"),)
    assert SYNONYMS.meanings_of(["maize", "flours"]) == (("unga",),)
    assert SYNONYMS.meanings_of(["mangoes"]) == (("embe",),)
    assert SYNONYMS.meanings_of(["maize"]) == ()


def test_the_longest_part_with_synonyms_counts() -> None:
    assert SYNONYMS.split(["unga", "wa", "ngano", "milk"]) == [
        Part(("unga", "wa", "ngano"), (("wheat", "flour"),)),
        Part(("milk",), ()),
    ]
    assert Synonyms().split(["milk"]) == [Part(("milk",), ())]


@pytest.mark.parametrize(
    ("words", "corrected"),
    [
        (["mlik"], ["milk"]),
        (["milk", "braed"], ["milk", "bread"]),
        (["awberr"], ["strawberry"]),
        (["ugna"], ["unga"]),
        (["milk"], None),
        (["milks", "bre"], None),
        (["qqqqqqq"], None),
    ],
)
def test_only_words_that_nobody_knows_are_corrected(words: list[str], corrected: list[str] | None) -> None:
    assert correct_words(words, WORDS) == corrected


def test_a_last_word_that_is_barely_begun_is_looked_up_in_what_the_others_leave() -> None:
    searches = {typed: parse_search(typed, WORDS) for typed in ("milk b", "fresh milk br", "milk bre", "b", "unga b")}
    found = {typed: (search.matches, search.also) for typed, search in searches.items() if search}
    assert found == {
        "milk b": ("milk", "b:*"),
        "fresh milk br": ("fresh:* & milk", "br:*"),
        "milk bre": ("milk & bre:*", None),
        "b": ("b:*", None),
        "unga b": ("(unga | (maize & flour))", "b:*"),
    }
