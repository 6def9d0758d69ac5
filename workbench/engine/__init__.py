"""Where torch lives: training, generation and the making of the embedded base model."""
