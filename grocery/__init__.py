"""An online grocery: catalogue, orders and notifications on Flask, PostgreSQL and RQ."""

__version__ = "0.1.0"
