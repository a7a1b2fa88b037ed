"""How documents put things: times of the shop, quantities with units, who and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from grocery.db import Row

VAT_CLASSES = {"standard": "Standard", "zero": "Zero-rated", "exempt": "Exempt"}


@dataclass(frozen=True)
class Document:
    """What a template is filled with. `version` is the order's; `data` has nothing but JSON's own types."""

    template: str
    filename: str
    version: int
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Shop:
    """Whose documents they are, from the settings."""

    name: str
    contact: tuple[str, ...]
    timezone: ZoneInfo

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Shop":
        pin = config["SHOP_TAX_PIN"]
        contact = (config["SHOP_ADDRESS"], config["SHOP_PHONE"], config["SHOP_EMAIL"], f"PIN {pin}" if pin else "")
        return cls(config["SHOP_NAME"], tuple(part for part in contact if part), config["TIMEZONE"])

    def day(self, moment: datetime) -> str:
        """ "1 November 2026"."""
        local = moment.astimezone(self.timezone)
        return f"{local.day} {local:%B %Y}"

    def moment(self, moment: datetime) -> str:
        """ "1 November 2026, 14:05"."""
        return f"{self.day(moment)}, {moment.astimezone(self.timezone):%H:%M}"

    def window(self, starts_at: datetime, ends_at: datetime) -> str:
        """ "Sunday 1 November 2026, 14:00–16:00"."""
        starts, ends = starts_at.astimezone(self.timezone), ends_at.astimezone(self.timezone)
        return f"{starts:%A} {self.day(starts)}, {starts:%H:%M}–{ends:%H:%M}"

    @property
    def json(self) -> dict[str, Any]:
        return {"name": self.name, "contact": self.contact}


def effective_quantity(line: Row) -> Decimal:
    """What is in the bag, or should be while nobody has picked."""
    picked: Decimal | None = line["picked_quantity"]
    return line["quantity"] if picked is None else picked


def quantity_text(quantity: Decimal, unit: str) -> str:
    """ "3" pieces, "0.75 kg"."""
    number = f"{quantity.normalize():f}"
    return number if unit == "each" else f"{number} {unit}"


def place_lines(order: Row) -> list[str]:
    """Where an order goes, line by line."""
    if order["delivery_method"] == "pickup":
        return [part for part in ("Pickup at the shop", order["phone"]) if part]
    return [part for part in (order["address"], order["landmark"], order["phone"]) if part]
