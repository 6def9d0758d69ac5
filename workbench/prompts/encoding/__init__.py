"""EXAMPLES -> TOKENS: the one path from messages to ids and mask, one by one and many at once."""
