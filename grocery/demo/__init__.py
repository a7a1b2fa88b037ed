"""The demo shop of `make run`."""

from flask import Flask

from grocery.demo.cli import demo_cli


def init_app(app: Flask) -> None:
    app.cli.add_command(demo_cli)
