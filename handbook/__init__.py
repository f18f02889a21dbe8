"""Documentation engine that checks standards, decisions, runbooks and post-mortems."""

__version__ = "0.1.0"
