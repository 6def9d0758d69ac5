"""What can be wrong with an answer, each check a small function with a figure and a place."""
