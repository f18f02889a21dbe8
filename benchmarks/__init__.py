"""Generated handbooks of any size, and comparisons of our speed with other tools."""
