"""What happened: run folders, their events, their state, and the commands sent to them."""
