"""Carts of customers and visitors."""
