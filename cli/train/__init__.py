"""From data, a recipe and flags to a finished run of training."""
