"""The checkout: one page from basket to order, and the order's confirmation."""
