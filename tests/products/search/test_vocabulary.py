"""The words that a shopper may mean, without a database."""

import pytest

from grocery.products.search.synonyms import Synonyms
from grocery.products.search.vocabulary import Vocabulary, Word

USES = {
    "sugar": 40,
    "super": 90,
    "sugarcane": 2,
    "tomatoes": 12,
    "tomato": 30,
    "chocolate": 200,
    "milk": 80,
    "milo": 80,
    "strawberry": 9,
    "blueberry": 11,
    "tea": 60,
    "7up": 3,
}


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary(USES, Synonyms([("unga", "maize flour")]))


@pytest.mark.parametrize(
    ("prefix", "limit", "expected"),
    [
        ("su", 9, [("super", 90), ("sugar", 40), ("sugarcane", 2)]),
        ("s", 2, [("super", 90), ("sugar", 40)]),
        ("sugar", 9, [("sugar", 40), ("sugarcane", 2)]),
        ("mil", 9, [("milk", 80), ("milo", 80)]),
        ("7", 9, [("7up", 3)]),
        ("ung", 9, [("unga", 0)]),
        ("x", 9, []),
        ("sugarcaner", 9, []),
    ],
)
def test_words_are_completed_with_the_most_used_first(
    words: Vocabulary, prefix: str, limit: int, expected: list[tuple[str, int]]
) -> None:
    assert words.complete(prefix, limit) == [Word(*one) for one in expected]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("suger", "sugar"),
        ("sguar", "sugar"),
        ("usgar", "sugar"),
        ("sugarr", "sugar"),
        ("choclate", "chocolate"),
        ("chocolaet", "chocolate"),
        ("coholate", "chocolate"),
        ("tomatto", "tomato"),
        ("ungs", "unga"),
        ("flor", "flour"),
        ("suuggr", "sugar"),
        ("sxgxr", None),
        ("ta", None),
        ("999", None),
        ("zzzzzz", None),
        ("", None),
    ],
)
def test_a_misspelt_word_becomes_the_nearest_known_one(words: Vocabulary, typed: str, meant: str | None) -> None:
    assert words.correct(typed) == meant


def test_of_two_near_words_the_one_that_sounds_alike_is_meant_then_the_more_used() -> None:
    words = Vocabulary({"sugar": 1, "super": 90, "cat": 1, "car": 2}, Synonyms())
    assert words.correct("suger") == "sugar"
    assert words.correct("cax") == "car"
    assert words.correct("bar") == "car"


@pytest.mark.parametrize(("part", "found"), [("berry", ["blueberry", "strawberry"]), ("ber", [])])
def test_words_are_found_by_a_part_of_at_least_four_letters(words: Vocabulary, part: str, found: list[str]) -> None:
    assert [word.text for word in words.containing(part, 9)] == found


@pytest.mark.parametrize(
    ("word", "is_known"),
    [("sugar", True), ("sugars", True), ("sug", True), ("flour", True), ("strawberries", True), ("suger", False)],
)
def test_a_word_is_known_as_it_is_in_another_number_and_by_its_beginning(
    words: Vocabulary, word: str, is_known: bool
) -> None:
    assert words.knows(word) is is_known


def test_an_empty_vocabulary_knows_nothing() -> None:
    words = Vocabulary({}, Synonyms())
    assert len(words) == 0
    assert words.complete("", 5) == []
    assert words.correct("sugar") is None
    assert words.containing("suga", 5) == []
    assert not words.knows("sugar")
