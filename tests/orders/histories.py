"""Random histories of a small shop: steps, which are names of what its customers and staff do, and what with."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.orders.small_shop import NothingThereError, Shop

Step = tuple[str, dict[str, Any]]

numbers = st.integers(0, 11)

#: What may happen: how often beside the rest, and with what. Whom or what it is about is a number of those there are.
STEPS: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    "place": (
        20,
        {
            "customer": numbers,
            "wanted": st.dictionaries(st.integers(0, 3), st.integers(1, 5), min_size=1),
            "is_coupon": st.sampled_from([True, True, False]),
            "slot": st.sampled_from([0, 0, 1, None]),
            "is_delivery": st.booleans(),
        },
    ),
    "add": (4, {"order": numbers, "goods": numbers, "count": st.integers(1, 6)}),
    "set_quantity": (8, {"line": numbers, "count": st.integers(1, 8)}),
    "remove": (4, {"line": numbers}),
    "move": (
        5,
        {"order": numbers, "to": st.sampled_from(["confirmed", "confirmed", "packed", "shipped", "cancelled"])},
    ),
    "deliver": (5, {"order": numbers}),
    "cancel_as_customer": (2, {"order": numbers}),
    "pay": (
        4,
        {
            "order": numbers,
            "kind": st.sampled_from(["capture", "capture", "refund"]),
            "amount": st.sampled_from([1, 50_00, 400_00]),
        },
    ),
    "receive": (3, {"goods": numbers, "count": st.integers(1, 5)}),
    "set_price": (2, {"goods": numbers, "price": st.sampled_from([0, 1, 79_99, 250_00])}),
    "end_offer": (1, {"offer": numbers}),
    "delete": (1, {"goods": numbers}),
    "erase": (3, {"order": numbers}),
}


def steps() -> st.SearchStrategy[Step]:
    names = [name for name, (weight, _) in STEPS.items() for _ in range(weight)]
    return st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), st.fixed_dictionaries(STEPS[name][1])))


def so_many(histories: int, *, is_proof: bool) -> settings:
    """Always the same ones, unless it `is_proof`, which looks for more.

    One that fails is printed as it is: making it shorter takes minutes.
    """
    return settings(
        max_examples=histories,
        derandomize=not is_proof,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow],
    )


def go_through(history: Iterable[Step], shop: Shop) -> None:
    """Take the steps, and look at the whole shop after each."""
    for name, arguments in history:
        with suppress(NothingThereError):
            getattr(shop, name)(**arguments)
            shop.check()
