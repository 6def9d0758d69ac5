"""How good the answers are: measures, baselines and checks, none of which needs torch."""
