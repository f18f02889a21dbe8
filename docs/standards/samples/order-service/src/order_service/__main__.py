"""Serve the application: `python -m order_service`."""

import uvicorn

from order_service import logs
from order_service.app import create_app
from order_service.settings import Settings


def main() -> None:
    """Read the settings, set the logs up and serve until SIGTERM."""
    settings = Settings()
    logs.configure(settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,  # uvicorn's lines go through our formatter
        access_log=False,  # paths and queries can name a customer; traces and metrics have the rest
        server_header=False,
        # Requests in flight get this long after SIGTERM. Kubernetes kills after 30 seconds, and
        # the preStop hook spends 5 of them.
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
