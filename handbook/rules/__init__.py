"""Rules that `handbook check` runs: one module per family of rules, and the engine."""
