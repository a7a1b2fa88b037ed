"""Following orders: what was ordered, how far it is, and what can still be done about it."""
