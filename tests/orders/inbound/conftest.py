"""Customers' phones, which write to the shop about their orders."""

from tests.notify.inbound.conftest import ask
from tests.notify.receipts.conftest import provider

__all__ = ["ask", "provider"]
