"""People, passwords, tokens and roles."""

from flask import Flask

from grocery.auth import access, tokens

__all__ = ["access", "init_app"]


def init_app(app: Flask) -> None:
    tokens.init_app(app)
