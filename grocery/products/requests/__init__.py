"""What customers looked for in vain and ask the shop to stock."""
