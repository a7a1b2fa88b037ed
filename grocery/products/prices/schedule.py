"""What scheduled changes make of a product's price at a moment (pure).

A product has a regular price, which changes without an end set, and an offer while one runs. Offers never raise a
price: one that would is missed. Nothing here depends on how late it is asked, save that an offer whose whole time has
passed unseen never was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True)
class Price:
    """Both in cents; `compare_at` is the price before an offer, above `price`."""

    price: int
    compare_at: int | None = None


@dataclass(frozen=True)
class Change:
    """A row of `price_changes`: one that is scheduled, or the offer that runs (`is_active`)."""

    id: int
    price: Price
    starts_at: datetime
    ends_at: datetime | None = None
    is_active: bool = False
    before: Price | None = None

    @property
    def is_offer(self) -> bool:
        return self.ends_at is not None

    def is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now

    def overlaps(self, other: "Change") -> bool:
        """Whether both are offers with a moment in common; the end of one may be the start of the other."""
        if self.ends_at is None or other.ends_at is None:
            return False
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass
class Settlement:
    """The price to be, why, and the new status of each change to be written.

    `before` is what returns after the offer that runs, None without one; it belongs to the change that is active.
    """

    price: Price
    before: Price | None = None
    reason: str | None = None
    statuses: dict[int, str] = field(default_factory=dict)


def settle(current: Price, changes: Iterable[Change], now: datetime, *, stopping: int | None = None) -> Settlement:
    """What is due at `now` for a product that costs `current`.

    `changes` are all that are scheduled or active; `stopping` is the id of the running offer when it is to end at once.
    """
    # The offer that runs counts even when the clock that started it was ahead of this one.
    due = [one for one in changes if one.is_active or one.starts_at <= now]
    due.sort(key=lambda one: (one.starts_at, one.id))
    running = next((one for one in due if one.is_active), None)
    regular = (running.before if running else None) or current
    state = Settlement(current, regular if running else None)
    if running and (running.is_over(now) or running.id == stopping):
        _end(state, running)
    for change in due:
        if not (change.is_active or change.is_offer):
            _change_regular(state, change, running)
    for change in due:
        if change.is_offer and not change.is_active:
            _start(state, change, now)
    return state


def regular_price_at(current: Price, changes: Sequence[Change], moment: datetime) -> int:
    """The price in cents, apart from offers, that a product will have at `moment` as things stand."""
    plain = [one for one in changes if not one.is_offer and one.starts_at <= moment]
    if plain:
        return max(plain, key=lambda one: (one.starts_at, one.id)).price.price
    running = next((one for one in changes if one.is_active), None)
    return (running.before if running and running.before else current).price


def with_price(current: Price, price: int, compare_at: int | None = None) -> Price:
    """A price set anew. A `compare_at` of before stays as long as it is above."""
    kept = compare_at if compare_at is not None else current.compare_at
    return Price(price, kept if kept is not None and kept > price else None)


def _end(state: Settlement, offer: Change) -> None:
    state.statuses[offer.id] = "ended"
    state.price, state.before, state.reason = state.before or state.price, None, "offer_ended"


def _change_regular(state: Settlement, change: Change, running: Change | None) -> None:
    state.statuses[change.id] = "applied"
    regular = with_price(state.before or state.price, change.price.price, change.price.compare_at)
    if running and state.before is not None:
        goes_on = regular.price > state.price.price
        state.statuses[running.id] = "active" if goes_on else "ended"
        if goes_on:
            state.before = regular
            return
    state.price, state.before, state.reason = regular, None, "scheduled"


def _start(state: Settlement, offer: Change, now: datetime) -> None:
    if offer.is_over(now) or state.before is not None or offer.price.price >= state.price.price:
        state.statuses[offer.id] = "missed"
        return
    state.statuses[offer.id] = "active"
    state.before, state.reason = state.price, "offer_started"
    compare_at = offer.price.compare_at
    state.price = replace(offer.price, compare_at=state.price.price if compare_at is None else compare_at)
