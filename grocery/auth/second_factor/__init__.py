"""A second factor for signing in: codes of an authenticator app, and recovery codes for its loss."""
