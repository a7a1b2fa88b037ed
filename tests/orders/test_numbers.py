import pytest

from grocery.orders.numbers import ALPHABET, make_number, parse_number, take_number


def test_numbers_have_no_letters_that_are_taken_for_one_another() -> None:
    assert set(ALPHABET).isdisjoint("0O1IL2Z5S8BUV")
    assert len({make_number() for _ in range(1000)}) > 990
    assert all(number[:2] == "G-" and set(number[2:]) <= set(ALPHABET) for number in (make_number() for _ in range(50)))


@pytest.mark.parametrize("text", ["G-7K3M9Q", "g-7k3m9q", "G7K3M9Q", "g7k3m9q", "7K3M9Q", "7k3m9q", "G-7K3-M9Q"])
def test_numbers_are_read_however_they_are_typed(text: str) -> None:
    assert parse_number(text) == "G-7K3M9Q"


@pytest.mark.parametrize("text", ["G-7K3M9O", "G-7K3M9", "G-7K3M9QQ", "H-7K3M9Q", "MARKET", "REPEAT", "G", "", "😀"])
def test_other_words_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("words", "number", "left"),
    [
        (["G-7K3M9Q"], "G-7K3M9Q", []),
        (["MY", "ORDER", "G", "7K3M9Q", "2"], "G-7K3M9Q", ["MY", "ORDER", "2"]),
        (["7K3M9Q", "G-9Q3M7K"], "G-7K3M9Q", ["G-9Q3M7K"]),
        (["G-ARMENT"], "G-ARMENT", []),
        (["MARKET", "2"], None, ["MARKET", "2"]),
        ([], None, []),
    ],
)
def test_first_number_is_taken_out_of_words(words: list[str], number: str | None, left: list[str]) -> None:
    assert take_number(words) == (number, left)
