"""Talking to a model that lives in another process: what can be talked to, the pipe, the transcript."""
