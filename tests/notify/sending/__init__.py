"""Tests of sending: the state that all senders share, and whole outages."""
