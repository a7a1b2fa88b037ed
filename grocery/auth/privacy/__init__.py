"""What the law gives people: a copy of all that is known of them, and that nothing is kept for longer than needed."""
