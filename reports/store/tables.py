"""The tables of the catalogue, the same in SQLite and in PostgreSQL.

An entry is one document that was kept: a result, or a study of many. What is asked for often (who,
when, which figures) stands in rows; the document and its samples are parts, which lie in files
beside an SQLite catalogue and inside a PostgreSQL one.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 1
APPLICATION_ID = 0x72706F6C  # 'rpol': what an SQLite file says that it is for

metadata = MetaData()


def _entry() -> Column[str]:
    """The column that names an entry, whose rows go when it goes."""
    return Column(
        "entry_id",
        String(16),
        ForeignKey("rpolab_entries.entry_id", ondelete="CASCADE"),
        primary_key=True,
    )


about = Table(
    "rpolab_about",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

entries = Table(
    "rpolab_entries",
    metadata,
    Column("entry_id", String(16), primary_key=True),
    Column("identity", String(32), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("kept_at_ns", BigInteger, nullable=False),
    Column("scenario", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("scenario_digest", String(64), nullable=False),
    Column("program", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("commit_id", String(64), nullable=False),
    Column("branch", Text, nullable=False),
    Column("is_dirty", Boolean, nullable=False),
    Index("rpolab_entries_by_scenario", "scenario", "kept_at_ns"),
    Index("rpolab_entries_by_time", "kept_at_ns"),
)

runs = Table(
    "rpolab_runs",
    metadata,
    _entry(),
    Column("number", Integer, primary_key=True),
    Column("cell", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("seed", String(20), nullable=False),  # up to 2**64 - 1: more than an SQL integer has
    Column("effects", String(64), nullable=False),
    Column("verdict", String(20), nullable=False),
)

figures = Table(
    "rpolab_figures",
    metadata,
    _entry(),
    Column("number", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Double, nullable=False),
    Column("unit", String(8), nullable=False),
    Column("better", String(8), nullable=False),
    Column("is_limited", Boolean, nullable=False),
)

parts = Table(
    "rpolab_parts",
    metadata,
    _entry(),
    Column("name", String(40), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("content", LargeBinary, nullable=True),
)
