"""Prices that are probably a slip of the finger: a digit too many, a missing point. Pure but for its words."""

from decimal import Decimal

from flask_babel import gettext

#: From so many times the price before on, or below such a part of it, it is asked whether it is meant.
FAR = 3


def is_far(old_cents: int, new_cents: int) -> bool:
    """Whether a price is far from the one before."""
    return bool(old_cents) and (new_cents > old_cents * FAR or new_cents * FAR < old_cents)


def how_far(old_cents: int, new_cents: int) -> str:
    """`10 times as much`."""
    if not new_cents:
        return gettext("nothing at all")
    if new_cents > old_cents:
        return gettext("%(times)s times as much", times=_times(new_cents, old_cents))
    return gettext("%(times)s times less", times=_times(old_cents, new_cents))


def _times(more: int, less: int) -> str:
    times = (Decimal(more) / less).quantize(Decimal("0.1"))
    return f"{times.normalize():f}"
