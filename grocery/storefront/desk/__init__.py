"""The desk of staff and admins."""
