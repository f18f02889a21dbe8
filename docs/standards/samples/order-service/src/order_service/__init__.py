"""The order service of the bookshop."""
