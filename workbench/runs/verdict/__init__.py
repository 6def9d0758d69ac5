"""What the curves of a run say, in one line: rules whose thresholds have reasons, and no more than shows."""
