"""The built site: what is added to it, and what is checked of it."""
