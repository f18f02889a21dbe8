"""Logs: one JSON object a line on stdout, ours and those of the libraries alike."""

import logging
import re
import sys
from typing import Any

import structlog
from opentelemetry import trace
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

SERVICE = "order-service"

# --8<-- [start:redact]
# The last word of a field decides: customer_email, firstName and shipping-address are forbidden,
# too. IDs are allowed: they mean nothing outside our databases.
FORBIDDEN_FIELDS = {
    "address",
    "authorization",
    "card",
    "card_number",
    "cookie",
    "cvc",
    "email",
    "iban",
    "name",
    "password",
    "payment_method",
    "phone",
    "phone_number",
    "secret",
    "token",
}
ENDS = tuple(f"_{field}" for field in FORBIDDEN_FIELDS)
CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
FORBIDDEN_VALUES = {
    "email": re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"),
    "password": re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)"),
    "token": re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    "key": re.compile(r"\b[spr]k_(test|live)_\w+"),
    "card": re.compile(r"\b\d{13,19}\b|\b\d{4}([ -])\d{4,6}\1\d{4,5}(\1\d{1,7})?\b"),
}


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Remove secrets, card data and personal data, also from tracebacks and library lines."""
    return {
        redact_value(str(field)): redact_field(str(field), value) for field, value in event.items()
    }


def redact_field(field: str, value: Any) -> Any:
    """Return the value of a field without forbidden parts; IDs stay as they are."""
    words = CAMEL_CASE.sub("_", field).lower().replace("-", "_")
    if f"_{words}".endswith(ENDS):
        return "[removed]"
    is_id = field.endswith("_id") and isinstance(value, str | int)
    return value if is_id else redact_value(value)


def redact_value(value: Any) -> Any:
    """Return a value of a log line without forbidden parts, at any depth."""
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    text = clean = value if isinstance(value, str) else repr(value)  # as the renderer writes it
    for kind, pattern in FORBIDDEN_VALUES.items():
        clean = pattern.sub(f"[{kind}]", clean)
    is_plain = value is None or isinstance(value, str | int | float)
    return value if is_plain and clean == text else clean


# --8<-- [end:redact]


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
        redact,  # last, so that it sees the traceback
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
