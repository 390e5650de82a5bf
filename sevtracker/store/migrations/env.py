"""How Alembic runs here: on the connection that ``store.migrate`` hands over, in one transaction."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from sevtracker.store import tables  # noqa: F401  # its import fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=False,
    compare_type=True,
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
