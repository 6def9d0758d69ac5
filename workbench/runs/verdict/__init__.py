"""What the curves of a run say, in one line: rules with thresholds that have reasons, and no more than they show."""
