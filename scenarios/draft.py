"""The parts of a scenario that are valid by themselves.

Cross-checks run on these, so that one broken line does not hide the mistakes on the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from scenarios.drills import Drills
from scenarios.faults import Fault
from scenarios.grammar import QuantityError
from scenarios.moments import parse_time_of_day
from scenarios.phases import Phase, Span, phase_spans
from scenarios.protections import Protection
from scenarios.quantities import DURATION, spell_duration
from scenarios.wording import nearest
from scenarios.world import Link

T = TypeVar("T")

REPLAYED = ("mbox", "tracking_log")
"""The keys of a workload whose mail brings its own times."""


class Parts(NamedTuple):
    """The parts of a scenario that are read one by one; None or absent where one is not valid."""

    links: dict[int, Link]
    protections: dict[str, Protection | None]
    faults: dict[int, Fault]
    drills: Drills | None
    phases: dict[int, Phase]


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a scenario that are valid by themselves; None or absent where one is not."""

    plain: dict[str, Any]
    folder: FilePath | None
    start_ns: int | None
    duration_ns: int | None
    workload: dict[str, Any]
    exchange_site: str | None
    sites: tuple[str, ...] | None
    links: dict[int, Link]
    links_are_complete: bool
    protections: dict[str, Protection | None]
    faults: dict[int, Fault]
    drills: Drills | None
    phases: dict[int, Phase]
    phases_are_complete: bool

    @property
    def replayed(self) -> str | None:
        """The key of the mail that is replayed and so decides date and start, if any is."""
        return next((key for key in self.workload if key in REPLAYED), None)

    @property
    def phase_spans(self) -> dict[str, Span]:
        """Where each phase lies; those after one that cannot be read are not where they will be."""
        return phase_spans(self.phases.values())

    def span_of(self, fault: Fault) -> Span | None:
        """The stretch of the run in which a fault may come; None where that cannot be told."""
        if self.duration_ns is None or self.start_ns is None or not self.phases_are_complete:
            return None
        moments = [fault.at, None if fault.within is None else fault.within.start]
        if self.replayed is not None and any(
            moment is not None and moment.on_the_clock for moment in moments
        ):
            return None  # the mail decides where the clock stands
        if fault.phase is not None and fault.phase not in self.phase_spans:
            return None
        return fault.span(self.start_ns, self.duration_ns, self.phase_spans)

    def copy_names(self, protection: str) -> list[str] | None:
        """The names and the sites of a protection's copies; None where they cannot be read."""
        found = self.protections.get(protection)
        if found is None:
            return None
        return list(
            dict.fromkeys(word for copy in found.copies for word in (copy.title, copy.site))
        )

    @property
    def duration_text(self) -> str:
        """The length of the run, for messages."""
        return spell_duration(self.duration_ns or 0)


class _Readers(NamedTuple):
    """Validators of one part each."""

    link: TypeAdapter[Link]
    protection: TypeAdapter[Protection]
    fault: TypeAdapter[Fault]
    drills: TypeAdapter[Drills]
    phase: TypeAdapter[Phase]


@cache
def _readers() -> _Readers:
    """The validators, made when something is wrong for the first time: that takes a while."""
    return _Readers(
        TypeAdapter(Link),
        TypeAdapter(Protection),
        TypeAdapter(Fault),
        TypeAdapter(Drills),
        TypeAdapter(Phase),
    )


def parts_of(plain: dict[str, Any]) -> Parts:
    """Validates each part by itself and keeps the valid ones."""
    readers, protect = _readers(), plain.get("protect")
    names = protect if isinstance(protect, dict) else {}
    return Parts(
        links=_attempt_each(readers.link, plain.get("links")),
        protections={
            name: _attempt(readers.protection.validate_python, names[name]) for name in names
        },
        faults=_attempt_each(readers.fault, plain.get("faults")),
        drills=_attempt(readers.drills.validate_python, plain.get("drills")),
        phases=_attempt_each(readers.phase, plain.get("phases")),
    )


def draft_of(plain: dict[str, Any], folder: FilePath | None, parts: Parts | None = None) -> Draft:
    """Puts together what cross-checks need of a scenario.

    Args:
        plain: the scenario's values.
        folder: where a relative path starts.
        parts: those of a scenario that is valid as a whole; else each is validated by itself.
    """
    parts = parts_of(plain) if parts is None else parts
    sites = plain.get("sites")
    exchange = plain.get("exchange")
    site = exchange.get("site", "primary") if isinstance(exchange, dict) else None
    known_sites = tuple(sites) if isinstance(sites, dict) and sites else None
    return Draft(
        plain=plain,
        folder=folder,
        start_ns=_attempt(parse_time_of_day, plain.get("start", "00:00")),
        duration_ns=_attempt(DURATION.parse, plain.get("duration")) or None,
        workload=_written(plain.get("workload")),
        exchange_site=site if isinstance(site, str) else None,
        sites=known_sites,
        links=parts.links,
        links_are_complete=_all_read(plain, parts.links) and _all_known(parts.links, known_sites),
        protections=parts.protections,
        faults=parts.faults,
        drills=parts.drills,
        phases=parts.phases,
        phases_are_complete=_is_whole(plain.get("phases"), parts.phases),
    )


def _written(workload: Any) -> dict[str, Any]:
    """The keys of a workload that something is written for; of a package's, its kind alone."""
    keys = workload if isinstance(workload, dict) else {}
    if "kind" in keys:
        return {"kind": keys["kind"]}
    return {key: value for key, value in keys.items() if value is not None}


def _all_read(plain: dict[str, Any], links: dict[int, Link]) -> bool:
    """Whether a link that is not there was not written either: neither broken nor misspelt."""
    if "links" in plain:
        written = plain["links"]
        return isinstance(written, tuple) and len(written) == len(links)
    return not any(nearest(key, ("links",)) for key in plain)


def _is_whole(written: Any, read: dict[int, Any]) -> bool:
    """Whether every item that was written could be read; nothing written is whole."""
    return written is None or (isinstance(written, tuple) and len(written) == len(read))


def _all_known(links: dict[int, Link], sites: tuple[str, ...] | None) -> bool:
    """Whether each link ends at sites that exist: else a misspelt one may be the one sought."""
    ends = [site for link in links.values() for site in link.between]
    return sites is not None and all(site in sites for site in ends)


def _attempt(parse: Callable[[Any], T], read: Any) -> T | None:
    try:
        return parse(read)
    except (QuantityError, ValidationError):
        return None


def _attempt_each(adapter: TypeAdapter[T], read: Any) -> dict[int, T]:
    items = read if isinstance(read, tuple) else ()
    parsed = {index: _attempt(adapter.validate_python, item) for index, item in enumerate(items)}
    return {index: item for index, item in parsed.items() if item is not None}
