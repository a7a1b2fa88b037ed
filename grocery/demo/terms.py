"""Where and when the demo shop delivers, its coupons and synonyms; as an admin would send them to the API."""

from itertools import product
from typing import Any

from grocery.orders.delivery.weekly import WEEKDAYS

ZONE: dict[str, Any] = {"name": "Nairobi West", "fee": "150.00", "free_from": "3000.00"}

# Monday to Saturday, morning, afternoon and evening.
_WINDOWS = (("09:00", "11:00"), ("14:00", "16:00"), ("17:00", "19:00"))
TEMPLATES: tuple[dict[str, Any], ...] = tuple(
    {"weekday": weekday, "starts": starts, "ends": ends, "capacity": 8, "cutoff_minutes": 90}
    for weekday, (starts, ends) in product(WEEKDAYS[:6], _WINDOWS)
)

COUPONS: tuple[dict[str, Any], ...] = (
    {
        "name": "Karibu: 10 % off your first order",
        "code": "KARIBU",
        "kind": "percent",
        "value": "10",
        "min_basket": "500.00",
        "usage_limit_per_customer": 1,
    },
    {"name": "Free delivery", "code": "LETA", "kind": "free_delivery", "min_basket": "1500.00"},
)

# Who types the dish looks for what it is made of.
SYNONYMS = (("ugali", "maize flour"),)
