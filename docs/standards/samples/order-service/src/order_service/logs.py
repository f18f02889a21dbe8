"""Logs: one JSON object a line on stdout, ours and those of the libraries alike."""

import logging
import sys

import structlog
from opentelemetry import trace
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

SERVICE = "order-service"


def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the service, so that lines can be told apart where all logs flow together."""
    return {**event, "service": SERVICE}


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Point from a log line to the trace it belongs to, where there is one."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
    return event


# --8<-- [start:configure]
def configure(level: str) -> None:
    """Send structlog and the standard library's loggers through one JSON formatter."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,  # brings the correlation ID
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        add_service,
        add_trace,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # else log.exception() loses its traceback
    ]
    structlog.configure(
        processors=[*processors, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The HTTP client's line for each request repeats what traces and metrics say.
    logging.getLogger("httpx").setLevel(logging.WARNING)


# --8<-- [end:configure]
