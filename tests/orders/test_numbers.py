from grocery.orders.numbers import ALPHABET, make_number


def test_numbers_have_no_letters_that_are_taken_for_one_another() -> None:
    assert set(ALPHABET).isdisjoint("0O1IL2Z5S8BUV")
    assert len({make_number() for _ in range(1000)}) > 990
    assert all(number[:2] == "G-" and set(number[2:]) <= set(ALPHABET) for number in (make_number() for _ in range(50)))
