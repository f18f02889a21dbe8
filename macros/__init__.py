"""The macros of this site's pages."""

from handbook import define_env

__all__ = ["define_env"]
