"""Read the Git history: commits, dates, and the handbook at an earlier revision."""
