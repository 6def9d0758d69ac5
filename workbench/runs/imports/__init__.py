"""Runs that were trained elsewhere, read from what they left: tables, trainer states, TensorBoard events."""
