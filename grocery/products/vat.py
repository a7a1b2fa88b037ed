"""VAT rates of Kenya by class (pure).

Source: Value Added Tax Act, 2013: 16 % in general (section 5), zero-rated supplies in its Second Schedule, exempt ones
in the First. Zero and exempt cost the customer the same and differ in what the shop may reclaim.
"""

from decimal import Decimal

RATE_PERCENT = {"standard": Decimal("16.00"), "zero": Decimal("0.00"), "exempt": Decimal("0.00")}


def rate_of(vat_class: str) -> Decimal:
    """The rate in percent; raises KeyError for an unknown class."""
    return RATE_PERCENT[vat_class]
