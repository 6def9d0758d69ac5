"""ROWS -> EXAMPLES: what a source makes of a row, by its kind."""
