"""Create records, apply fixes and write files safely."""
