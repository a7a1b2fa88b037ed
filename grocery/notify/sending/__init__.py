"""Getting messages out of the outbox: claim, commit, send, record."""
