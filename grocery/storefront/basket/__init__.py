"""The basket: its page, and the buttons that fill it."""
