"""What is on the shelves beyond a number: lots with expiry dates, corrections, what runs low, who waits for what."""
