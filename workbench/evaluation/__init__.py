"""Was the fine-tuning worth it: what is evaluated, where it is kept, what its figures mean."""
