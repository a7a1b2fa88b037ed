"""Codes sent to a phone or an e-mail address: signing in by phone, verifying addresses, forgotten passwords."""
