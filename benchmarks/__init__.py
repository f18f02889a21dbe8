"""Generate handbooks of any size, and compare our speed with other tools on them."""
