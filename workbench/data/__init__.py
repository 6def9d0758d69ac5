"""Rows of files become examples."""
