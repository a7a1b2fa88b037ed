"""Delivery: the week and how full it is, single windows, the weekly plan, areas and their fees."""

from grocery.storefront.desk.slots import days, weekly, weeks, windows, zones
from grocery.storefront.desk.slots.blueprint import blp

__all__ = ["blp", "days", "weekly", "weeks", "windows", "zones"]
