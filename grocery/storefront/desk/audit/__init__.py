"""The desk's pages of the audit log."""
