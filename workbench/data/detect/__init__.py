"""A first mapping for files whose shape is known."""
