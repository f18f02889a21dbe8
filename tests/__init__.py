"""The suite: what the handbook promises, tried."""
