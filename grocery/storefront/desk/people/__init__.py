"""The desk's pages about people: customers, and staff with their roles."""
