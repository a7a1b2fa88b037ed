"""The USSD menu's side of the provider: form, session, time limit. What it shows is the orders package's."""

from flask import Flask


def init_app(_app: Flask) -> None:
    """Bind the part."""
