"""Returns: goods that came back after delivery, refunds and credit notes."""
