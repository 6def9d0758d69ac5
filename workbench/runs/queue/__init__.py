"""Runs that wait for their turn: a queue on disk, a process that works it off, a journal of what came of it.

`queue/entries/N.json` is what shall be trained, `queue/journal.jsonl` what was done, `queue/lock` is held by
the process that does it. All is derived from these; a box that was rebooted goes on where the journal ends.
"""
