"""Sweeps: a project with other settings, run by run, through the queue; judged on one validation set."""
