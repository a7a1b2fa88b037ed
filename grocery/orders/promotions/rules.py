"""Which promotions an order gets, and what each takes off. Pure.

The rules, for customers and shop alike:

1. Each line takes part in one promotion at most: a percentage of its own price, or one that looks at several lines
   together (an amount off, buy X get Y), which then has all lines that it is for.
2. One promotion for the whole basket comes on top, of what is left then.
3. One promotion makes the delivery free.
4. Of all that is allowed, the customer gets what saves most. Where two save the same, an automatic promotion comes
   before a coupon, and an older one before a younger.
5. The minimum basket of a promotion is of the goods before all discounts.

No promotion takes more than there is, so that nothing is ever negative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grocery import money
from grocery.orders.lines import PricedLine
from grocery.orders.promotions.terms import BUY_X_GET_Y, FIXED, FREE_DELIVERY, PERCENT, Terms

# The best choice among promotions that want the same lines is found by trying all: 4,096 ways. Of more than so many
# at once, those that save most are taken first.
_MAX_TRIED = 12


@dataclass(frozen=True)
class Applied:
    """A promotion at work: the cents that it takes off each line (by index), or off the delivery."""

    terms: Terms
    shares: dict[int, int]
    delivery_cents: int = 0

    @property
    def amount_cents(self) -> int:
        return sum(self.shares.values()) + self.delivery_cents


@dataclass(frozen=True)
class _Group:
    """A promotion that looks at several lines together; `gain_cents` is what it saves beyond their percentages.

    `is_first` says whether it comes before all of these percentages where it saves the same.
    """

    applied: Applied
    claimed: frozenset[int]
    gain_cents: int
    is_first: bool


def apply_promotions(lines: Sequence[PricedLine], promotions: Sequence[Terms], fee_cents: int) -> list[Applied]:
    """The promotions that an order of `lines` with a delivery fee of `fee_cents` gets, those of goods first."""
    subtotal = sum(line.total_cents for line in lines)
    fitting = sorted((terms for terms in promotions if terms.min_basket_cents <= subtotal), key=lambda t: t.preference)
    applied = _apply(lines, fitting, fee_cents)
    if all(one.terms.code is None for one in applied):
        return applied
    # A coupon is not spent where the others save as much, be it several together.
    without_coupon = _apply(lines, [terms for terms in fitting if terms.code is None], fee_cents)
    return without_coupon if _saved(without_coupon) >= _saved(applied) else applied


def fits(lines: Sequence[PricedLine], terms: Terms, fee_cents: int) -> bool:
    """Whether a promotion is for anything in this basket, whatever the minimum and the other promotions."""
    if terms.kind == FREE_DELIVERY:
        return fee_cents > 0
    return any(terms.is_for(line) for line in lines)


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Split `amount` over `weights` in proportion, to the cent; none gets more than its weight.

    `amount` is at most the sum of the weights. What rounding leaves goes to those with the largest remainders.
    """
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    shares = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(amount * weights[index] % total), index))
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares


def _apply(lines: Sequence[PricedLine], promotions: Sequence[Terms], fee_cents: int) -> list[Applied]:
    applied = _apply_to_lines(lines, promotions)
    left = [line.total_cents for line in lines]
    for one in applied:
        for index, cents in one.shares.items():
            left[index] -= cents
    return [*applied, *_apply_to_basket(left, promotions), *_apply_to_delivery(fee_cents, promotions)]


def _saved(applied: Sequence[Applied]) -> int:
    return sum(one.amount_cents for one in applied)


def _apply_to_lines(lines: Sequence[PricedLine], promotions: Sequence[Terms]) -> list[Applied]:
    percentages = _best_percentages(lines, [t for t in promotions if t.kind == PERCENT and t.is_for_lines])
    candidates = (
        _group(lines, terms, percentages) for terms in promotions if terms.kind != PERCENT and terms.is_for_lines
    )
    groups = _choose_disjoint([group for group in candidates if group.gain_cents >= (0 if group.is_first else 1)])
    claimed = frozenset[int]().union(*(group.claimed for group in groups))
    by_terms: dict[Terms, dict[int, int]] = {}
    for index, (cents, terms) in percentages.items():
        if index not in claimed:
            by_terms.setdefault(terms, {})[index] = cents
    return [group.applied for group in groups] + [Applied(terms, shares) for terms, shares in by_terms.items()]


def _best_percentages(lines: Sequence[PricedLine], promotions: Sequence[Terms]) -> dict[int, tuple[int, Terms]]:
    """By a line's index, the most that a percentage takes off it, and which one does."""
    best: dict[int, tuple[int, Terms]] = {}
    for terms in promotions:
        for index, line in enumerate(lines):
            if terms.is_for(line):
                cents = _percent_of(line.total_cents, terms.value)
                if cents > best.get(index, (0, terms))[0]:
                    best[index] = (cents, terms)
    return best


def _group(lines: Sequence[PricedLine], terms: Terms, percentages: dict[int, tuple[int, Terms]]) -> _Group:
    matching = {index: line for index, line in enumerate(lines) if terms.is_for(line)}
    shares = _free_pieces(matching, terms) if terms.kind == BUY_X_GET_Y else _amount_off(matching, terms)
    applied = Applied(terms, {index: cents for index, cents in shares.items() if cents})
    given_up = [percentages[index] for index in matching if index in percentages]
    gain = applied.amount_cents - sum(cents for cents, _ in given_up)
    is_first = bool(given_up) and all(terms.preference < other.preference for _, other in given_up)
    return _Group(applied, frozenset(matching), gain, is_first)


def _amount_off(lines: dict[int, PricedLine], terms: Terms) -> dict[int, int]:
    weights = [line.total_cents for line in lines.values()]
    amount = min(money.to_cents(terms.value), sum(weights))
    return dict(zip(lines, allocate(amount, weights), strict=True))


def _free_pieces(lines: dict[int, PricedLine], terms: Terms) -> dict[int, int]:
    """What is free of X + Y pieces: the Y cheapest. Dear pieces are put together, which is best for the customer."""
    shares: dict[int, int] = {}
    counted = 0
    for index, line in sorted(lines.items(), key=lambda entry: (-entry[1].unit_price_cents, entry[0])):
        pieces = int(line.quantity)
        free = _free_of_first(counted + pieces, terms) - _free_of_first(counted, terms)
        shares[index] = free * line.unit_price_cents
        counted += pieces
    return shares


def _free_of_first(pieces: int, terms: Terms) -> int:
    whole, rest = divmod(pieces, terms.buy_quantity + terms.get_quantity)
    return whole * terms.get_quantity + max(0, rest - terms.buy_quantity)


def _choose_disjoint(groups: Sequence[_Group]) -> list[_Group]:
    """The groups that together gain most, no two of them with a line in common."""
    return [group for rivals in _rivals(groups) for group in _best_of(rivals)]


def _rivals(groups: Sequence[_Group]) -> Iterator[list[_Group]]:
    """Groups that are connected by common lines; each such family is decided by itself."""
    families: list[tuple[set[int], list[_Group]]] = []
    for group in groups:
        touching = [family for family in families if not family[0].isdisjoint(group.claimed)]
        merged = (
            set(group.claimed).union(*(claimed for claimed, _ in touching)),
            [member for _, members in touching for member in members] + [group],
        )
        families = [family for family in families if family not in touching] + [merged]
    for _, members in families:
        yield sorted(members, key=lambda group: group.applied.terms.preference)


def _best_of(rivals: Sequence[_Group]) -> list[_Group]:
    if len(rivals) > _MAX_TRIED:
        rivals = sorted(rivals, key=lambda group: -group.gain_cents)
        chosen: list[_Group] = []
        for group in rivals:
            if all(group.claimed.isdisjoint(other.claimed) for other in chosen):
                chosen.append(group)
        return chosen
    return _try_all(rivals, frozenset())[1]


def _try_all(rivals: Sequence[_Group], taken: frozenset[int]) -> tuple[int, list[_Group]]:
    if not rivals:
        return 0, []
    first, rest = rivals[0], rivals[1:]
    without = _try_all(rest, taken)
    if not first.claimed.isdisjoint(taken):
        return without
    gain, others = _try_all(rest, taken | first.claimed)
    # The earlier of two that gain the same is kept: it comes first.
    return (first.gain_cents + gain, [first, *others]) if first.gain_cents + gain >= without[0] else without


def _apply_to_basket(left: Sequence[int], promotions: Sequence[Terms]) -> list[Applied]:
    total = sum(left)
    best: tuple[int, Terms] | None = None
    for terms in promotions:
        if terms.is_for_lines or terms.kind not in (PERCENT, FIXED):
            continue
        cents = _percent_of(total, terms.value) if terms.kind == PERCENT else money.to_cents(terms.value)
        cents = min(cents, total)
        if cents > (best[0] if best else 0):
            best = (cents, terms)
    if best is None:
        return []
    shares = enumerate(allocate(best[0], left))
    return [Applied(best[1], {index: cents for index, cents in shares if cents})]


def _apply_to_delivery(fee_cents: int, promotions: Sequence[Terms]) -> list[Applied]:
    if not fee_cents:
        return []
    return [Applied(terms, {}, fee_cents) for terms in promotions if terms.kind == FREE_DELIVERY][:1]


def _percent_of(cents: int, percent: Decimal) -> int:
    return min(cents, money.round_half_up(cents * percent / 100))
