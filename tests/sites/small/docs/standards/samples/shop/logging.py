"""Log as JSON."""

import json
import logging


class JsonFormatter(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the level and the message."""
        return json.dumps({"level": record.levelname, "message": record.getMessage()})
