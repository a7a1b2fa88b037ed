"""Offers: coupons and automatic promotions."""

from grocery.storefront.desk.promotions.views import blp

__all__ = ["blp"]
