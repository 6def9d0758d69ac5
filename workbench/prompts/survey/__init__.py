"""All rows looked at before GPU time is spent: statistics and findings."""
