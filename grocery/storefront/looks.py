"""How pages write amounts, quantities and times."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask, current_app
from flask_babel import format_date, format_datetime, gettext, ngettext
from markupsafe import Markup, escape

from grocery.phones import written_phone

_SYMBOLS = {"KES": "KSh", "TZS": "TSh", "UGX": "USh"}

_NBSP = "\u00a0"


def money(amount: str | None, currency: str | None = None) -> str:
    """`"1250.00"` as `KSh 1,250`, whose parts stay on one line; cents only where there are some.

    By hand, since CLDR writes `Ksh` and always has cents.
    """
    if amount is None:
        return ""
    code = currency or current_app.config["CURRENCY"]
    value = Decimal(amount)
    digits = f"{abs(value):,.2f}".removesuffix(".00")
    return f"{'−' if value < 0 else ''}{_SYMBOLS.get(code, code)}{_NBSP}{digits}"


def quantity(value: int | float | Decimal | str, unit: str) -> str:
    """`2` of what is sold by piece, `0.5 kg` of what is weighed."""
    number = f"{Decimal(str(value)).normalize():f}"
    return f"{number}{_NBSP}kg" if unit == "kg" else number


def per_unit(price: dict[str, str] | None) -> str:
    """`KSh 115/kg`; nothing where there is no unit price."""
    return f"{money(price['amount'])}/{price['per']}" if price else ""


def moment(at: datetime | str) -> str:
    """`Tue 26 Nov, 14:05`, in the shop's time zone."""
    return str(format_datetime(_datetime(at), "EEE d MMM, HH:mm"))


def clock(at: datetime | str) -> str:
    """`14:05`, in the shop's time zone."""
    return str(format_datetime(_datetime(at), "HH:mm"))


def window(starts_at: datetime | str, ends_at: datetime | str) -> str:
    """`10:00–12:00`, in the shop's time zone."""
    return f"{clock(starts_at)}–{clock(ends_at)}"


def day(at: datetime | str) -> str:
    """`Today`, `Tomorrow` or `Saturday 28 November`, in the shop's time zone."""
    zone = current_app.config["TIMEZONE"]
    that_day: date = _datetime(at).astimezone(zone).date()
    distance = (that_day - datetime.now(zone).date()).days
    if distance in (0, 1):
        return gettext("Today") if distance == 0 else gettext("Tomorrow")
    return str(format_date(that_day, "EEEE d MMMM"))


def date_words(on: date) -> str:
    """`Thu 26 Nov`: a date that has no time."""
    return str(format_date(on, "EEE d MMM"))


def too_often(seconds: int) -> str:
    """How long somebody has to wait who has tried too often; never less than that."""
    if seconds < 90:
        time = ngettext("%(num)s second", "%(num)s seconds", seconds)
    elif seconds < 90 * 60:
        time = ngettext("%(num)s minute", "%(num)s minutes", -(-seconds // 60))
    else:
        time = ngettext("%(num)s hour", "%(num)s hours", -(-seconds // 3600))
    return gettext("That was too often. Try again in %(time)s.", time=time)


def slug(name: str) -> str:
    """A name as part of an address: small ASCII letters, digits and hyphens; it decides nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "x"


def phone(number: str) -> str:
    """`+254712345678` as `0712 345678`, whose parts stay on one line; with its country code in other countries."""
    return written_phone(number, current_app.config["DEFAULT_COUNTRY"]).replace(" ", _NBSP)


def lines(text: str) -> Markup:
    """Text with its line breaks."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


def init_app(app: Flask) -> None:
    filters: dict[str, Any] = {
        "money": money,
        "quantity": quantity,
        "per_unit": per_unit,
        "moment": moment,
        "clock": clock,
        "day": day,
        "date_words": date_words,
        "slug": slug,
        "phone": phone,
        "lines": lines,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(window=window, _=gettext, ngettext=ngettext)


def _datetime(at: datetime | str) -> datetime:
    return datetime.fromisoformat(at) if isinstance(at, str) else at
