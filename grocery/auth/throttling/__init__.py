"""Limits of what strangers may try: guessing passwords, having codes sent, making accounts."""
