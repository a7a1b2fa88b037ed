"""Shopping lists: what somebody buys again and again."""
