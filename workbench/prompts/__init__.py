"""Examples become token ids and a mask of what is trained."""
