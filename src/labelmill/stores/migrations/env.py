"""How Alembic runs our migrations: on the connection it is given, inside the transaction already begun."""

from __future__ import annotations

from alembic import context

from labelmill.stores.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
