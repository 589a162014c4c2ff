"""What can be wrong with a store: where, what, and what the operator can do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "disk i/o error")
_BUSY = ("database is locked", "database table is locked", "lock timeout", "deadlock detected")


class StoreError(RuntimeError):
    """A store cannot be used as asked; nothing in it was changed."""

    def __init__(self, store: str, message: str, hint: str) -> None:
        self.store = store
        self.hint = hint
        super().__init__(f"{store}: {message} ({hint})")


class StoreAbsentError(StoreError):
    """There is no store at this place."""


class StoreDamagedError(StoreError):
    """Something in the store is missing or is not what was written."""


class StoreVersionError(StoreError):
    """The store was written by a newer program."""


class StoreBusyError(StoreError):
    """Another process held the store for too long."""


class UnknownEntryError(StoreError):
    """The store has no such entry, or several that may be meant."""


@contextmanager
def told(store: str) -> Iterator[None]:
    """Turns what a database's driver raises into an error of the store, with a hint.

    Args:
        store: the store's place, without a password.
    """
    try:
        yield
    except DBAPIError as error:
        raise _of_driver(store, " ".join(str(error.orig).split())) from error
    except SQLAlchemyError as error:
        text = " ".join(str(error).split())
        raise StoreError(store, f"the catalogue refused: {text}", "look at its log") from error
    except OSError as error:
        message = f"{error.filename or 'a file'}: {error.strerror or error}"
        raise StoreError(store, message, "check its permissions and the free space") from error


def _of_driver(store: str, text: str) -> StoreError:
    lowered = text.lower()
    if any(sign in lowered for sign in _BUSY):
        hint = "another process is writing to it: try again; if none is, look who has it open"
        return StoreBusyError(store, f"the catalogue is locked: {text}", hint)
    if any(sign in lowered for sign in _DAMAGE):
        return damaged(store, f"the catalogue is damaged: {text}")
    hint = "check that it can be reached and written to, or run with --no-store"
    return StoreError(store, f"the catalogue cannot be used: {text}", hint)


def damaged(store: str, message: str) -> StoreDamagedError:
    """The error of a store that is damaged: it is left as it is, for whoever looks into it."""
    hint = "nothing in it was changed: restore it from a copy, or move it away to begin a new one"
    return StoreDamagedError(store, message, hint)
