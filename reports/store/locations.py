"""Where a store is: a folder, or the URL of a PostgreSQL database."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from reports.store.errors import StoreError

DEFAULT_FOLDER = ".rpolab"
_DRIVER = "postgresql+psycopg"
_DIALECTS = ("postgresql", "postgres", _DRIVER)


@dataclass(frozen=True, slots=True)
class FolderLocation:
    """A store in a folder of its own."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class ServerLocation:
    """A store in a database of a PostgreSQL server."""

    url: URL

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)


Location = FolderLocation | ServerLocation


def location_of(text: str | Path) -> Location:
    """The place that a folder's name or a URL stands for.

    Raises:
        StoreError: a URL that is not one of PostgreSQL's.
    """
    if isinstance(text, Path) or "://" not in text:
        if not str(text):
            raise StoreError("''", "the store's name is empty", "an unset variable, perhaps")
        return FolderLocation(Path(text))
    scheme = text.partition("://")[0]
    if scheme not in _DIALECTS:
        hint = "name a folder, or postgresql://USER@HOST/DATABASE"
        raise StoreError(f"{scheme}://", "a store is not kept in such a database", hint)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # What was written is not shown: it may hold a password.
        hint = "write postgresql://USER@HOST:PORT/DATABASE"
        raise StoreError(f"{scheme}://", "the URL cannot be read", hint) from None
    return ServerLocation(url.set(drivername=_DRIVER))
