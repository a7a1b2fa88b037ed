"""Prices over time: changes and offers that are scheduled, and the history of what was asked."""
