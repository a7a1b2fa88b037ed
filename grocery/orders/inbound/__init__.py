"""What customers do with their orders by SMS: ask, cancel, refuse a substitute."""

from flask import Flask

from grocery.notify.hooks import sms_received
from grocery.orders.inbound.service import answer_sms


def init_app(_app: Flask) -> None:
    """Bind the part."""
    sms_received.connect(answer_sms)
