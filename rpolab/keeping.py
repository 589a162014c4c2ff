"""Keeps what was run in the result store: which store, where the scenario came from, and when.

The default store, a folder where the command runs, is a convenience: if it cannot be used the run
goes on, and it is said that nothing is kept. A store that was named must be usable.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from reports import Result, Study
from reports.store import DEFAULT_FOLDER, Location, Origin, StoreError, location_of, open_store
from rpolab.checkouts import Checkout, checkout_of
from rpolab.runs import program
from rpolab.terminal import complain, shown, write_line
from rpolab.wall_clock import calendar_ns
from scenarios import Scenario, library_folder

VARIABLE = "RPOLAB_STORE"
_NOT_RUN = {"seed", "replications", "title", "description", "teaches", "markers"}
OFF = "off"


class UnusableStoreError(click.ClickException):
    """A store that was named cannot be used."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """A store that was found usable, and what was checked out when the runs began.

    Attributes:
        location: where it is.
        checkouts: by the folder of a scenario.
        is_named: whether somebody asked for this store, and counts on it.
    """

    location: Location
    checkouts: Mapping[Path, Checkout | None]
    is_named: bool = False

    def keep(self, document: Result | Study, scenario: Scenario) -> str:
        """Keeps a document.

        Returns:
            The id of its entry.

        Raises:
            StoreError: it could not be kept.
        """
        checkout = self.checkouts.get(_folder_of(scenario))
        with open_store(self.location, program=program()) as store:
            return store.keep(document, origin_of(scenario, checkout, calendar_ns()))

    def try_keep(
        self, document: Result | Study, scenario: Scenario, report: TextIO, *, quiet: bool
    ) -> bool:
        """Keeps a document, or says on standard error why not.

        Args:
            document: what to keep.
            scenario: what was run.
            report: told the id of the entry.
            quiet: tell only what goes wrong.

        Returns:
            False where somebody counted on the store and it failed.
        """
        try:
            entry_id = self.keep(document, scenario)
        except StoreError as error:
            complain(f"rpolab: the run is not kept: {shown(error)}")
            return not self.is_named
        if not quiet:
            write_line(report, f"kept     {entry_id[:8]} in {shown(self.location)}")
        return True


def plan_keeping(
    option: str | None,
    scenarios: Sequence[Scenario],
    environment: Mapping[str, str] = os.environ,
) -> Keeping | None:
    """Makes sure that a store can be used; without one, None.

    Args:
        option: what --store names, 'off' for none; else the environment's RPOLAB_STORE.
        scenarios: what will be run.
        environment: of the process.

    Raises:
        UnusableStoreError: the store that was named cannot be used.
    """
    named = option if option is not None else environment.get(VARIABLE)
    if named == OFF:
        return None
    try:
        location = location_of(DEFAULT_FOLDER if named is None else named)
        open_store(location, program=program()).close()
    except StoreError as error:
        if named is not None:
            raise UnusableStoreError(f"--store {shown(error)}") from error
        complain(f"rpolab: nothing is kept: {shown(error)}; --no-store says that this is fine")
        return None
    folders = dict.fromkeys(_folder_of(scenario) for scenario in scenarios)
    checkouts = {folder: checkout_of(folder) for folder in folders}
    return Keeping(location, checkouts, is_named=named is not None)


def origin_of(scenario: Scenario, checkout: Checkout | None, now_ns: int) -> Origin:
    """Where a document of a scenario came from."""
    if checkout is None:
        return Origin(_name_of(scenario, None), digest_of(scenario), now_ns)
    return Origin(
        _name_of(scenario, checkout.folder),
        digest_of(scenario),
        now_ns,
        checkout.commit,
        checkout.branch,
        checkout.is_dirty,
    )


def digest_of(scenario: Scenario) -> str:
    """The fingerprint of what a scenario says, without its seeds and what is for the reader."""
    text = scenario.model_dump_json(exclude_unset=True, exclude=_NOT_RUN, fallback=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _name_of(scenario: Scenario, top: Path | None) -> str:
    """A name that is the same wherever the scenario is checked out."""
    if not scenario.source.file:
        return scenario.title
    path = Path(scenario.source.file).resolve()
    if path.is_relative_to(library_folder().resolve()):
        return path.stem
    if top is not None and path.is_relative_to(top.resolve()):
        return path.relative_to(top.resolve()).as_posix()
    return path.name


def _folder_of(scenario: Scenario) -> Path:
    """The folder whose checkout counts: the scenario's own; of the library, where one stands."""
    file = scenario.source.file
    path = Path(file).resolve() if file else Path.cwd() / "none"
    return Path.cwd() if path.is_relative_to(library_folder().resolve()) else path.parent
