"""Alembic's entry: where the database is and what it should look like."""

import structlog
from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from order_service import logs
from order_service.postgres import metadata, sqlalchemy_url
from order_service.settings import Settings

settings = Settings()
logs.configure(settings.log_level)
url = sqlalchemy_url(settings.database_url.get_secret_value())

with create_engine(url, poolclass=NullPool).connect() as connection:
    # A migration that waits for a lock makes everybody behind it wait too: better to fail and be
    # tried again.
    connection.exec_driver_sql("SET lock_timeout = '5s'")
    # After a rollback of the image the schema is ahead of it. It is left as it is, since every
    # migration works with the version before it too.
    known = {revision.revision for revision in context.script.walk_revisions()}
    ahead = set(MigrationContext.configure(connection).get_current_heads()) - known
    connection.commit()  # ends the transaction of the questions
    if ahead:
        structlog.get_logger(__name__).warning("schema_is_ahead", revisions=sorted(ahead))
    else:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations()
