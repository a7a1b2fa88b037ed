"""The shop's calendar: dates and hours are those of TIMEZONE."""

from datetime import date, datetime

from flask import current_app


def shop_now() -> datetime:
    return datetime.now(current_app.config["TIMEZONE"])


def shop_today() -> date:
    return shop_now().date()
