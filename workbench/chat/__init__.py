"""Talking to a model: what is said over the pipe, to whom, by which client, and where it is kept."""
