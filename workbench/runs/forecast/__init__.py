"""What a run will need, said before it starts: memory, time, disk; what to change where it is too much."""
