"""Rules of the check: one module per family, and the engine that runs them."""
