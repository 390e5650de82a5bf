"""Searching SEVs by words: SQLite FTS5 or PostgreSQL's text search, behind one function.

The newest matches are wanted, newest first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
#: The words of each row are kept beside it: taking them out of the text takes longer than all the rest of a search.
POSTGRESQL_DDL = (
    "ALTER TABLE sev ADD COLUMN sev_words tsvector GENERATED ALWAYS AS (to_tsvector('simple',"
    f" translate(title || ' ' || summary, '{_PUNCTUATION}', '{' ' * len(_PUNCTUATION)}'))) STORED",
    # Without a list of pending entries, which every search would have to read until a vacuum comes along.
    "CREATE INDEX ix_sev_words ON sev USING gin (sev_words) WITH (fastupdate = off)",
)
#: How many of the newest SEVs are looked through before the index is asked.
NEWEST = 500
_AMONG_NEWEST = sa.text(
    "sev.number = ANY (ARRAY (SELECT number FROM (SELECT number, sev_words FROM sev WHERE number < :below"
    " ORDER BY number DESC LIMIT :newest) AS newest WHERE sev_words @@ to_tsquery('simple', :words)))"
)
_AMONG_ALL = sa.text(
    "sev.number = ANY (ARRAY (SELECT number FROM sev WHERE number < :below"
    " AND sev_words @@ to_tsquery('simple', :words)))"
)
_ABOVE_ALL = 2**31 - 1


def words(text: str) -> list[str]:
    """The words to look for, at most eight. Punctuation and query operators mean nothing here."""
    return _WORD.findall(text)[:8]


def matching(
    session: Session, statement: sa.Select[Any], text: str, below: int | None = None
) -> Sequence[sa.Select[Any]]:
    """``statement`` narrowed to SEVs that have all words of ``text`` (the last may be cut short), or that number.

    Several statements are tried in turn, until one fills the page. PostgreSQL's planner has to choose between walking
    the SEVs from the newest on, which is best for common words, and the index of words, which is best for rare ones;
    what it goes by is statistics, and by stale ones a search takes seconds. So it gets no choice: first the newest SEVs
    (``below`` a number) are looked through; only if that doesn't do, the index is asked, which has few answers then.
    """
    if key := _KEY.match(text):
        return [statement.where(_S.c.number == int(key.group(1)))]
    wanted = words(text)
    if not wanted:
        return [statement.where(sa.false())]
    if session.get_bind().dialect.name == "sqlite":
        query = " ".join(f'"{word}"' for word in wanted) + "*"
        return [
            statement.join(_WORDS, _WORDS.c.rowid == _S.c.number)
            .where(sa.text("sev_words MATCH :words").bindparams(words=query))
            .order_by(None)
            .order_by(_WORDS.c.rowid.desc())
        ]
    asked: dict[str, Any] = {"words": " & ".join(f"'{word}'" for word in wanted) + ":*", "below": below or _ABOVE_ALL}
    among = (_AMONG_NEWEST.bindparams(**asked, newest=NEWEST), _AMONG_ALL.bindparams(**asked))
    return [statement.where(which) for which in among]
