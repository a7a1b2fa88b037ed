"""The suppression list: addresses that get nothing but what they need."""
