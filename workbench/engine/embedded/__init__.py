"""The making of the embedded base model: its text, its tokenizer, its training and its score."""
