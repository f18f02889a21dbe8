"""Read files, YAML, front matter and Markdown into values with locations."""
