"""The options --store and --no-store, as all commands that use the result store have them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rpolab.terminal import shown

if TYPE_CHECKING:
    from reports.store import Store

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
DEFAULT = ".rpolab"

STORE = click.option(
    "--store",
    metavar="FOLDER|URL",
    help="The result store: a folder, or postgresql://USER@HOST/DATABASE. The default is "
    f"$RPOLAB_STORE, or {DEFAULT} where the command runs; 'off' is none.",
)


def keeping_options(function: Decorated) -> Decorated:
    """Gives a command that runs scenarios --store and --no-store, as `store`."""
    off = click.option(
        "--no-store", "store", flag_value="off", help="Keep nothing in the result store."
    )
    return STORE(off(function))


@contextmanager
def opened_store(named: str | None) -> "Iterator[Store]":
    """The store that a command reads, for as long as it does.

    Raises:
        click.ClickException: it cannot be used; it says why.
    """
    # Nothing but these commands waits for the store's libraries.
    from reports import ResultError  # noqa: PLC0415 - see above
    from reports.store import StoreError, open_store  # noqa: PLC0415 - see above

    place = named if named is not None else os.environ.get("RPOLAB_STORE", DEFAULT)
    if place == "off":
        raise click.UsageError("the store is 'off' (name one with --store, or unset RPOLAB_STORE)")
    try:
        with open_store(place, create=False) as store:
            yield store
    except (StoreError, ResultError) as error:
        raise click.ClickException(shown(error)) from error
