"""SMS that people send to the shop."""

from flask import Flask


def init_app(_app: Flask) -> None:
    """Bind the part."""
