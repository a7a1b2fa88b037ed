from flask import Flask

from grocery.products import models


def init_app(app: Flask) -> None: ...
