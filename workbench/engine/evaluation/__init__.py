"""What models say to the rows of an evaluation: how likely references are, answers, labels of answers."""
