"""Pin three notes to the wall, so that no guest arrives at an empty one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NOTES = sa.table(
    "notes", sa.column("author", sa.String), sa.column("message", sa.String), sa.column("paper", sa.String)
)
WELCOME = [
    {"author": "Redis", "message": "I keep count at the top right. Reload the page, I dare you.", "paper": "rose"},
    {"author": "PostgreSQL", "message": "Whatever you write here, I remember. Stop me, start me, it is still on the wall.", "paper": "sky"},
    {"author": "devinit", "message": "Welcome! One command started all four of us. Leave a note.", "paper": "lemon"},
]


def upgrade() -> None:
    op.bulk_insert(NOTES, WELCOME)


def downgrade() -> None:
    op.execute(NOTES.delete().where(NOTES.c.author.in_([note["author"] for note in WELCOME])))
