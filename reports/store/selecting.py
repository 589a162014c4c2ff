"""Which entries are meant: by scenario, branch and seed, by a few letters, or by their age."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from reports.store import tables
from reports.store.errors import UnknownEntryError
from reports.store.records import Entry
from reports.store.rows import entry_of

LATEST = "latest"
PREFIX_LETTERS_MIN = 4
_AGE = re.compile(rf"{LATEST}(?:~(?P<number>[0-9]{{1,9}}))?")
_PREFIX = re.compile(rf"[0-9a-f]{{{PREFIX_LETTERS_MIN},16}}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Selection:
    """What entries must have; what is None does not matter.

    Attributes:
        scenario: its name, or the last parts of its path, with or without '.yaml'.
        seed: of one of its runs.
        branch: its branch, or the first letters of its commit, seven at least.
        without: the id of an entry that is not meant.
        kind: 'result' or 'study'.
        last: so many of the newest.
    """

    scenario: str | None = None
    seed: int | None = None
    branch: str | None = None
    without: str | None = None
    kind: str | None = None
    last: int | None = None


def newest(connection: Connection, selection: Selection) -> list[Entry]:
    """The newest entries of a selection, the newest first."""
    query = _filtered(select(tables.entries), selection)
    query = query.order_by(tables.entries.c.kept_at_ns.desc(), tables.entries.c.entry_id)
    if selection.last is not None:
        query = query.limit(selection.last)
    return [entry_of(row) for row in connection.execute(query)]


def _filtered(query: Select[Any], selection: Selection) -> Select[Any]:
    table, runs = tables.entries, tables.runs
    if selection.scenario is not None:
        query = query.where(_is_scenario(selection.scenario))
    if selection.branch is not None:
        query = query.where(_is_of_branch(selection.branch))
    if selection.kind is not None:
        query = query.where(table.c.kind == selection.kind)
    if selection.without is not None:
        query = query.where(table.c.entry_id != selection.without)
    if selection.seed is not None:
        has_seed = (runs.c.entry_id == table.c.entry_id) & (runs.c.seed == str(selection.seed))
        query = query.where(exists().where(has_seed))
    return query


def _is_scenario(name: str) -> ColumnElement[bool]:
    column = tables.entries.c.scenario
    endings = [f"/{name}", f"/{name}.yaml", f"/{name}.yml"]
    same = [column == text for text in (name, f"{name}.yaml", f"{name}.yml")]
    return or_(*same, *(column.endswith(ending, autoescape=True) for ending in endings))


def _is_of_branch(name: str) -> ColumnElement[bool]:
    table = tables.entries
    if _COMMIT.fullmatch(name):
        return or_(table.c.branch == name, table.c.commit_id.startswith(name))
    return table.c.branch == name


def resolve(connection: Connection, reference: str, place: str) -> Entry:
    """The entry that a reference means: 'latest', 'latest~1', or the first letters of its id.

    Raises:
        UnknownEntryError: there is none, or several have these letters.
    """
    age = _AGE.fullmatch(reference)
    if age:
        return _by_age(connection, int(age["number"] or 0), reference, place)
    if not _PREFIX.fullmatch(reference):
        hint = f"write a file, '{LATEST}', '{LATEST}~1' or an id of `rpolab history`"
        raise UnknownEntryError(place, f"'{reference}' names no entry", hint)
    table = tables.entries
    query = select(table).where(table.c.entry_id.startswith(reference)).limit(2)
    found = [entry_of(row) for row in connection.execute(query)]
    if len(found) == 1:
        return found[0]
    problem = "no entry has an id" if not found else "several entries have ids"
    hint = "`rpolab history` lists them" if not found else "write more letters of it"
    raise UnknownEntryError(place, f"{problem} that begins with '{reference}'", hint)


def _by_age(connection: Connection, number: int, reference: str, place: str) -> Entry:
    found = newest(connection, Selection(last=number + 1))
    if len(found) > number:
        return found[number]
    count = len(found)
    raise UnknownEntryError(place, f"'{reference}' is too far back", f"it has {count} entries")
