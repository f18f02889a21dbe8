"""What git knows of the handbook, and the handbook as it was."""
