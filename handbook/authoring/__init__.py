"""The commands that write records."""
