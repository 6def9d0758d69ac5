"""What would go wrong in training, found before it: facts gathered from all rows, and what they mean."""
