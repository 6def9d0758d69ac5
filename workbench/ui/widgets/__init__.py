"""Building blocks of the panes; they know no project, no run and no engine."""
