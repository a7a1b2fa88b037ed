"""The menu on phones without data: following an order, repeating the last one, offers, best sellers, delivery times."""

from flask import Flask

from grocery.notify.hooks import ussd_dialled
from grocery.orders.ussd.menu import answer_ussd


def init_app(_app: Flask) -> None:
    """Bind the part."""
    ussd_dialled.connect(answer_ussd)
