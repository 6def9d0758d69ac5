"""The box: what it has, and what to change on it."""
