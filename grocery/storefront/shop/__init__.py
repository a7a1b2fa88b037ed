"""The shop window: home, categories, search, products."""
