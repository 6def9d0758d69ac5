"""Few-shot prompts: which examples stand before a question, and how."""
