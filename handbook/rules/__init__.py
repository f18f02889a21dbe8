"""The rules: one module per family, and the engine that runs them."""
