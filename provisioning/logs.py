"""What the process writes down: events with fields, on standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str, format: str) -> None:  # noqa: A002 - the setting's name
    """Send structlog's events to standard error, for people or for machines.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        format: text or json.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s", force=True)
