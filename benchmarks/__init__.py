"""Handbooks of any size, and how long what we build takes on them beside what others build."""
