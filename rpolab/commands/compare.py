"""`rpolab compare`: what got better or worse between two runs, or two studies."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from reports import Result, ResultError, Study, load_document
from reports.comparing import Differences, compare_documents
from rpolab.commands.store_options import STORE, opened_store
from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import say_bytes, shown

if TYPE_CHECKING:
    from reports.store import Entry, Store

LATEST = "latest"


class _Named(NamedTuple):
    """A document, what to call it, and its entry if it is of a store."""

    document: Result | Study
    name: str
    entry: "Entry | None" = None


@click.command("compare")
@click.argument("references", nargs=-1, metavar="[A] B")
@click.option(
    "--baseline",
    metavar="BRANCH",
    help="Take as A the newest run that was kept of the same scenario and seed on this branch, "
    "or at this commit; B is then the newest of all when left out.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["worse", "thresholds"]),
    help="End with exit code 1 when anything in simulated time got worse, or only when the "
    "verdict of a threshold did.",
)
@click.option("--all", "everything", is_flag=True, help="List also what is the same.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead.")
@STORE
@traceback_option
def command(
    *,
    references: tuple[str, ...],
    baseline: str | None,
    fail_on: str | None,
    everything: bool,
    as_json: bool,
    store: str | None,
) -> ExitCode:
    """Compare two results, or two studies, threshold by threshold and figure by figure.

    A and B are files written by --json, or entries of the store: an id of `rpolab history`, or
    its first letters, 'latest', 'latest~1'. Figures in simulated time are exact for a seed; real
    time is shown and never judged.
    """
    with ExitStack() as stack:
        stores = _Stores(store, stack)
        before, after = _documents(stores, references, baseline)
    differences = compare_documents(before.document, after.document)
    _tell(differences, (before.name, after.name), everything=everything, as_json=as_json)
    return _code(differences, fail_on)


def _code(differences: Differences, fail_on: str | None) -> ExitCode:
    is_failed = {
        None: False,
        "worse": differences.is_worse,
        "thresholds": differences.has_worse_thresholds,
    }[fail_on]
    return ExitCode.MISSED if is_failed else ExitCode.MET


class _Stores:
    """The store, opened when the first reference needs it: two files need none."""

    def __init__(self, named: str | None, stack: ExitStack) -> None:
        self._named = named
        self._stack = stack
        self._opened: Store | None = None

    def opened(self) -> "Store":
        """The store."""
        if self._opened is None:
            self._opened = self._stack.enter_context(opened_store(self._named))
        return self._opened


def _documents(
    stores: _Stores, references: tuple[str, ...], baseline: str | None
) -> tuple[_Named, _Named]:
    if baseline is None:
        if len(references) != 2:
            raise click.UsageError("name two results, or one and --baseline BRANCH")
        return _found(stores, references[0]), _found(stores, references[1])
    if len(references) > 1:
        raise click.UsageError("with --baseline, only one result is named")
    after = _found(stores, references[0] if references else LATEST)
    return _baseline(stores.opened(), baseline, after), after


def _found(stores: _Stores, reference: str) -> _Named:
    """The document that a reference means: a file first, else an entry of the store."""
    path = Path(reference)
    looks_like_file = path.suffix or len(path.parts) > 1
    try:
        if looks_like_file or path.exists():
            return _Named(load_document(path), shown(reference))
    except (ResultError, OSError, ValueError) as error:
        raise click.ClickException(shown(error)) from error
    store = stores.opened()
    return _of_entry(store, store.resolve(reference))


def _of_entry(store: "Store", entry: "Entry") -> _Named:
    from reports.history_text import ID_LETTERS, commit_text  # noqa: PLC0415 - with the store

    name = f"{entry.scenario} {entry.entry_id[:ID_LETTERS]} at {commit_text(entry)}"
    return _Named(store.document(entry.entry_id), shown(name), entry)


def _baseline(store: "Store", branch: str, after: _Named) -> _Named:
    """The newest run kept of the same scenario and seed on a branch.

    Raises:
        click.ClickException: there is none.
    """
    from reports.store import Selection  # noqa: PLC0415 - with the store

    document = after.document
    first = document if isinstance(document, Result) else document.cells[0].runs[0]
    selection = Selection(
        scenario=_scenario_of(after),
        seed=first.seed,
        branch=branch,
        without=None if after.entry is None else after.entry.entry_id,
        kind="study" if isinstance(document, Study) else "result",
        last=2,
    )
    for entry in store.entries(selection):
        found = _of_entry(store, entry)
        # What a file holds may have been kept too, and nothing is compared with itself.
        if found.document != document:
            return found
    raise click.ClickException(
        f"{store.place}: no other run of '{selection.scenario}' with seed {first.seed} was kept on "
        f"'{shown(branch)}' (run it there first, with the same --store)"
    )


def _scenario_of(after: _Named) -> str:
    """The store's name of a document's scenario; of a file, that of its scenario's file."""
    if after.entry is not None:
        return after.entry.scenario
    reference = after.document.scenario
    return Path(reference.file).stem if reference.file else reference.title


def _tell(
    differences: Differences, names: tuple[str, str], *, everything: bool, as_json: bool
) -> None:
    from reports import comparison_text  # noqa: PLC0415 - with rich

    if as_json:
        document = comparison_text.differences_document(differences, names)
        say_bytes((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
    else:
        comparison_text.print_differences(differences, names, everything=everything)
