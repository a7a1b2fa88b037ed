"""Reports, their columns and what their rows can be about, in words."""

from datetime import date

from flask_babel import format_date, gettext
from flask_babel import lazy_gettext as _l

REPORTS = {
    "sales": _l("Sales"),
    "fulfilment": _l("Orders"),
    "slots": _l("Delivery times"),
    "times": _l("Time to the door"),
    "shortages": _l("Short lines"),
    "pickers": _l("Pickers"),
    "stock": _l("Stock"),
    "movements": _l("Movements of stock"),
    "waste": _l("Waste"),
    "cash-up": _l("Cash-up"),
}

ABOUT = {
    "sales": _l("What was delivered, with the day on which it was, and what came back."),
    "fulfilment": _l("What became of the orders that were placed in these days."),
    "slots": _l("How full the delivery times are."),
    "times": _l("From the order to the door: half of the orders, and nine in ten, took no longer."),
    "shortages": _l("What could not be picked as ordered, the dearest first."),
    "pickers": _l("Who picked how much, and how fast."),
    "stock": _l("What is on the shelves now, at today's prices."),
    "movements": _l("How stock came and went."),
    "waste": _l("What was thrown away and what came back, the dearest first."),
    "cash-up": _l("What each collector has to bring."),
}

WAYS = {
    "day": _l("Day"),
    "month": _l("Month"),
    "weekday": _l("Weekday"),
    "hour": _l("Hour"),
    "total": _l("In all"),
    "category": _l("Category"),
    "product": _l("Product"),
    "zone": _l("Area"),
    "slot": _l("Delivery time"),
    "reason": _l("Reason"),
    "picker": _l("Picker"),
}

COLUMNS = {
    **WAYS,
    "from": _l("From"),
    "until": _l("Until"),
    "orders": _l("Orders"),
    "quantity": _l("Quantity"),
    "gross": _l("Paid by customers"),
    "discounts": _l("Discounts"),
    "delivery_fees": _l("Delivery fees"),
    "vat": _l("VAT"),
    "net": _l("Net"),
    "returns": _l("Returns"),
    "returns_vat": _l("VAT of returns"),
    "revenue": _l("Revenue"),
    "products": _l("Products"),
    "low": _l("Low"),
    "out": _l("Sold out"),
    "price": _l("Price"),
    "level": _l("Stock level"),
    "value": _l("Value"),
    "movements": _l("Movements"),
    "damaged": _l("Damaged"),
    "expired": _l("Expired"),
    "returned": _l("Returned"),
    "written_off": _l("Written off"),
    "refunded": _l("Refunded"),
    "placed": _l("Placed"),
    "open": _l("Open"),
    "delivered": _l("Delivered"),
    "cancelled": _l("Cancelled"),
    "failed": _l("Failed"),
    "lines": _l("Lines"),
    "short": _l("Short"),
    "substituted": _l("Replaced"),
    "weighed_over": _l("Weighed more"),
    "weighed_under": _l("Weighed less"),
    "missing": _l("Missing"),
    "not_found": _l("Not found"),
    "unwanted": _l("Not wanted"),
    "other": _l("Other reason"),
    "slots": _l("Delivery times"),
    "starts": _l("Starts"),
    "ends": _l("Ends"),
    "capacity": _l("Places"),
    "booked": _l("Booked"),
    "used_percent": _l("Used (percent)"),
    "deliveries": _l("Deliveries"),
    "median_hours": _l("Half within, hours"),
    "p90_hours": _l("Nine in ten within, hours"),
    "hours": _l("Hours"),
    "lines_per_hour": _l("Lines an hour"),
    "name": _l("Product"),
    "sku": _l("Code"),
    "unit": _l("Unit"),
}

PROBLEMS = {
    "from": _l("Choose days within 5 years, the first one first."),
    "until": _l("Choose days within 5 years, the first one first."),
    "day": _l("Choose a day since 2000."),
}

_VALUES = {
    "ok": _l("Enough"),
    "low": _l("Low"),
    "out": _l("Sold out"),
    "each": _l("pieces"),
    "kg": _l("kg"),
    "opening": _l("First stock"),
    "sold": _l("Sold"),
    "cancelled": _l("Cancelled orders"),
    "received": _l("Received"),
    "returned": _l("Returned"),
    "damaged": _l("Damaged"),
    "expired": _l("Expired"),
    "counted": _l("Counted"),
}

# Columns with days, and those with months.
_DAYS = ("day", "from", "until")

#: Columns with words that the program has for all languages.
_WORDS = ("level", "unit", "reason")

_WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)


def cell_words(column: str, value: object) -> str:
    """What stands in a cell that is neither a number nor an amount."""
    if value is None:
        return gettext("None") if column in ("zone", "picker", "category", "name") else ""
    if column == "weekday" and isinstance(value, int):
        return str(_WEEKDAYS[value])
    if column in _DAYS:
        return str(format_date(date.fromisoformat(str(value)), "EEE d MMM y"))
    if column == "month":
        return str(format_date(date.fromisoformat(f"{value}-01"), "MMM y"))
    if column == "hour" and isinstance(value, int):
        return f"{value:02}:00"
    return str(_VALUES.get(str(value), value)) if column in _WORDS else str(value)


def short_day(day: str) -> str:
    """A day below a bar: `26 Nov`."""
    return str(format_date(date.fromisoformat(day), "d MMM"))
