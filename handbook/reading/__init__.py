"""Bytes to values with positions: files, YAML, fields, Markdown."""
