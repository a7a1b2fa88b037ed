"""What only the desk of staff reads and keeps: the board of open orders, the day's figures, the picking screen."""

from flask import Flask

from grocery.orders.desk.claims import Claims


def init_app(app: Flask) -> None:
    app.extensions["picking_claims"] = Claims(lambda: app.extensions["engines"].redis_url)
