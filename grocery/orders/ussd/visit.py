"""One step of a phone's visit to the menu: who calls, in which language, and how it reads amounts and times."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from grocery import money
from grocery.fields import quantity_number
from grocery.orders.ussd.phrases import Phrases


@dataclass(frozen=True)
class Visit:
    """`phone` in E.164; `now` with its offset."""

    session: Session
    session_id: str
    phone: str
    phrases: Phrases
    shop: str
    currency: str
    timezone: ZoneInfo
    now: datetime

    def amount(self, cents: int) -> str:
        """ "KES 1,250" """
        return money.to_display(cents, self.currency)

    def price(self, cents: int, unit: str = "each") -> str:
        """ "189", or "119.90/kg" for what is sold by weight; the currency stands above."""
        return money.to_display(cents, "").strip() + (self.phrases.per_kg if unit == "kg" else "")

    def window(self, starts_at: datetime, ends_at: datetime) -> str:
        """ "Today 10:00-12:00" or "Fri 27 Nov 10:00-12:00", in the shop's time zone."""
        starts, ends = starts_at.astimezone(self.timezone), ends_at.astimezone(self.timezone)
        return f"{self._day(starts)} {starts:%H:%M}-{ends:%H:%M}"

    def _day(self, moment: datetime) -> str:
        today = self.now.astimezone(self.timezone).date()
        near = {today: self.phrases.today, today + timedelta(days=1): self.phrases.tomorrow}
        day, month = self.phrases.days[moment.weekday()], self.phrases.months[moment.month - 1]
        return near.get(moment.date(), f"{day} {moment.day} {month}")


def item(quantity: Decimal, unit: str, name: str) -> str:
    """ "2 Maize Flour", "0.5kg Beef"."""
    return f"{quantity_number(quantity)}{'kg' if unit == 'kg' else ''} {name}"
