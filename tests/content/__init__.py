"""What the published pages have to say, and what they must not."""
