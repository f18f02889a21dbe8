"""The handbook: a documentation engine that checks standards, decisions, runbooks and post-mortems as one graph."""

__version__ = "0.1.0"
