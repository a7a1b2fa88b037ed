"""Pictures of products: taken in, re-encoded, stored, served, and removed when nothing refers to them."""
