"""Loopback stand-ins for the two services outside: nothing else in the tests is a fake."""
