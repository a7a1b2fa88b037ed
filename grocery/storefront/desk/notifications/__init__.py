"""The desk's pages about messages: what was sent and received, texts, campaigns, and who gets nothing."""
