"""Fulfilment: picking, weighing, substituting, delivery runs, deliveries that failed."""
