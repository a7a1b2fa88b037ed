"""The token of a public link: short, and nobody's but this shop's to make."""

import re
from collections import Counter

import pytest

from grocery.orders.tracking.errors import LinkNotFoundError
from grocery.orders.tracking.links import make_token, read_token

SECRET = "secret-for-tests-only-0123456789abcdef"


@pytest.mark.parametrize("order_id", [1, 35, 36, 123_456, 2**63 - 1])
def test_a_token_leads_to_its_order(order_id: int) -> None:
    token = make_token(order_id, SECRET)
    assert re.fullmatch(r"[0-9a-z]+-[0-9A-Za-z]{16}", token)
    assert int(token.partition("-")[0], 36) == order_id
    assert read_token(token, SECRET) == order_id


def test_tokens_are_as_good_as_random() -> None:
    tokens = [make_token(number, SECRET).partition("-")[2] for number in range(1, 2001)]
    assert len(set(tokens)) == 2000
    assert len(Counter("".join(tokens))) == 62
    assert make_token(1, SECRET) != make_token(1, f"{SECRET}!")


def test_a_token_that_was_changed_anywhere_is_none() -> None:
    token = make_token(123_456, SECRET)
    changed = {token[:place] + ("a" if char != "a" else "b") + token[place + 1 :] for place, char in enumerate(token)}
    other = {
        "",
        "-",
        token[:-1],
        f"{token}a",
        f"0{token}",
        token.upper(),
        f"{'z' * 13}-{'a' * 16}",
        "ü",
        "1-" + "é" * 16,
    }
    for forged in changed | other:
        with pytest.raises(LinkNotFoundError):
            read_token(forged, SECRET)
