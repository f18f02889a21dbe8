"""Parts of the site that need no engine: articles, content policy, search index, link check."""
