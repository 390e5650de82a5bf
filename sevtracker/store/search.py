"""Searching SEVs by words: SQLite FTS5 or PostgreSQL's text search, behind one function.

The newest matches are wanted, newest first.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.store.tables import Sev, table

_S = table(Sev)
_WORDS = sa.table("sev_words", sa.column("rowid", sa.Integer))
_KEY = re.compile(r"^\s*(?:sev-)?(\d{1,9})\s*$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")

SQLITE_DDL = (
    "CREATE VIRTUAL TABLE sev_words USING fts5(title, summary, content='sev', content_rowid='number',"
    " tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER sev_words_added AFTER INSERT ON sev BEGIN"
    " INSERT INTO sev_words(rowid, title, summary) VALUES (new.number, new.title, new.summary); END",
    "CREATE TRIGGER sev_words_changed AFTER UPDATE OF title, summary ON sev BEGIN"
    " INSERT INTO sev_words(sev_words, rowid, title, summary)"
    " VALUES ('delete', old.number, old.title, old.summary);"
    " INSERT INTO sev_words(rowid, title, summary) VALUES (new.number, new.title, new.summary); END",
)
#: PostgreSQL would take ``db1.corp.example``, ``a/b`` or ``-06`` for one word each; SQLite splits them, and so do we.
_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[]^_`{|}~\\'
_VECTOR = (
    f"to_tsvector('simple', translate(sev.title || ' ' || sev.summary, '{_PUNCTUATION}', '{' ' * len(_PUNCTUATION)}'))"
)
POSTGRESQL_DDL = (f"CREATE INDEX ix_sev_words ON sev USING gin ({_VECTOR})",)


def words(text: str) -> list[str]:
    """The words to look for, at most eight. Punctuation and query operators mean nothing here."""
    return _WORD.findall(text)[:8]


def matching(session: Session, statement: sa.Select[Any], text: str) -> sa.Select[Any]:
    """``statement`` narrowed to SEVs that have all words of ``text`` (the last may be cut short), or that number."""
    if key := _KEY.match(text):
        return statement.where(_S.c.number == int(key.group(1)))
    wanted = words(text)
    if not wanted:
        return statement.where(sa.false())
    if session.get_bind().dialect.name == "sqlite":
        query = " ".join(f'"{word}"' for word in wanted) + "*"
        return (
            statement.join(_WORDS, _WORDS.c.rowid == _S.c.number)
            .where(sa.text("sev_words MATCH :words").bindparams(words=query))
            .order_by(None)
            .order_by(_WORDS.c.rowid.desc())
        )
    query = " & ".join(f"'{word}'" for word in wanted) + ":*"
    return statement.where(sa.text(f"{_VECTOR} @@ to_tsquery('simple', :words)").bindparams(words=query))
