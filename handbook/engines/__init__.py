"""Build the site with an engine: MkDocs, ProperDocs, or another one from staged source files."""
