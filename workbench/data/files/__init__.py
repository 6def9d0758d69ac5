"""FILES -> ROWS: every format as numbered rows, one file or many."""
