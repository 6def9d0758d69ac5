"""What says the same, or nearly: duplicates and leaks."""
