"""What is known of an entry: where it came from, and how it is told from another."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from reports.placed_runs import PlacedRun

ENTRY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from.

    Attributes:
        scenario: a name that is the same in every checkout: of the library, or a path in it.
        scenario_digest: fingerprint of what the scenario says, without its seed.
        kept_at_ns: calendar time, nanoseconds since 1970-01-01 UTC.
        commit: of the checkout, in hex; empty when it is not known.
        branch: of the checkout; empty when it is not known.
        is_dirty: whether a file under version control was changed.
    """

    scenario: str
    scenario_digest: str
    kept_at_ns: int
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One document in the store, as the catalogue describes it.

    `identity` is the same for entries of the same program, scenario, settings, seeds, effects and
    commit: the same thing, run again. Each run is an entry of its own, for it was run.
    """

    entry_id: str
    identity: str
    kind: str
    kept_at_ns: int
    scenario: str
    title: str
    scenario_digest: str
    program: str
    verdict: str
    commit: str
    branch: str
    is_dirty: bool


@dataclass(frozen=True, slots=True)
class StoredFigure:
    """A figure of one run; `is_limited` says whether a threshold of its run limits it."""

    name: str
    value: float
    unit: str
    better: str
    is_limited: bool


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run of an entry, with its figures by name."""

    entry: Entry
    number: int
    cell: str
    seed: int
    effects: str
    verdict: str
    figures: dict[str, StoredFigure] = field(default_factory=dict)


def new_entry_id() -> str:
    """A name that no other process gives: 64 bits of chance, in hex."""
    return secrets.token_hex(ENTRY_ID_BYTES)


def identity_of(origin: Origin, program: str, runs: Sequence[PlacedRun]) -> str:
    """The fingerprint of what was run, where, and with which effects."""
    content = [
        program,
        origin.scenario,
        origin.scenario_digest,
        origin.commit,
        origin.is_dirty,
        [[run.settings, str(run.result.seed), run.result.digests.effects] for run in runs],
    ]
    text = json.dumps(content, sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
