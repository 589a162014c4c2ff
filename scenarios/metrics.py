"""What can be measured and judged: one table, which the schema, `rpolab list` and the docs show.

A threshold names a metric as `PROTECTION.METRIC`, more exactly as
`PROTECTION[@COPY].METRIC[(LIMIT)][@PHASE]`: of one of several copies (by its name or its site), in
one phase of the run only. A metric has a sample for each recovery, or one for the whole run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from scenarios.grammar import QuantityError
from scenarios.quantities import DURATION
from scenarios.wording import quoted, suggestion


class Measure(StrEnum):
    """What a metric's samples are counted in."""

    DURATION_NS = "duration_ns"
    SIZE_BYTES = "size_bytes"
    COUNT = "count"
    SHARE = "share"


SHARE_PARTS = 1_000_000_000
"""Shares are counted in parts of a billion: samples and limits are whole numbers."""


class Sampling(StrEnum):
    """What gives one sample of a metric."""

    RECOVERY = "each recovery to any write, and of each disaster"
    BOOKMARK_RECOVERY = "each recovery to a bookmark"
    EVERY_RECOVERY = "each recovery of any class"
    OPENED = "each recovery that was opened"
    RUN = "the run"
    FAULT = "each fault that was lifted"

    @property
    def is_of_recoveries(self) -> bool:
        """Whether there is no sample without a recovery."""
        return self not in (Sampling.RUN, Sampling.FAULT)


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that thresholds can be about.

    Attributes:
        name: as it is written after the protection's.
        measure: what a sample is counted in.
        sampling: what gives a sample.
        description: what it is, in one line.
        has_limit: whether a duration follows in parentheses.
        has_phases: whether it can be restricted to a phase of the run.
    """

    name: str
    measure: Measure
    sampling: Sampling
    description: str
    has_limit: bool = False
    has_phases: bool = True

    @property
    def spelling(self) -> str:
        """How it is written, with its limit in parentheses."""
        return f"{self.name}(60 s)" if self.has_limit else self.name


RTO_STEPS = {
    "detect": "until the disaster is known",
    "decide": "until it is decided to fail over",
    "fence": "making sure that the old server stays down",
    "image": "making the files of the point",
    "verify": "reading and checking them",
    "replay": "replaying the logs",
    "mount": "mounting the databases",
    "mailboxes": "pointing the mailboxes at the new server",
    "directory": "until the directory has converged",
    "dns": "until names resolve to the new server",
    "clients": "until mail programs have reconnected",
}
"""The steps of a recovery's time, by the word that thresholds name them by."""

_CURVES = {
    "": ("RPO(t)", "a write"),
    "app_": ("RPO(t) to the newest bookmark", "a bookmark"),
}
_STATISTICS = {
    "max": "the highest",
    "p99": "what is not exceeded in 99 % of the time by",
    "p95": "what is not exceeded in 95 % of the time by",
    "mean": "the mean over time of",
}


def _metrics() -> Iterator[Metric]:
    length, size, count, share = Measure
    recovery, bookmark, every, opened, run, fault = Sampling
    yield Metric("rpo", length, recovery, "true RPO: how old what was recovered is")
    yield Metric("app_rpo", length, bookmark, "true RPO of recoveries to a bookmark")
    yield Metric("rto", length, recovery, "from the disaster until mail programs work again")
    for step, told in RTO_STEPS.items():
        yield Metric(f"rto.{step}", length, recovery, f"part of the RTO: {told}")
    yield Metric(
        "reported_rpo_error", length, recovery, "how far the engine's own RPO is from the true one"
    )
    yield Metric("lost_messages", count, recovery, "acknowledged messages that did not come back")
    yield Metric(
        "lost_bytes", size, recovery, "bytes of acknowledged messages that did not come back"
    )
    yield Metric("lost_logs", count, recovery, "transaction logs that did not come back")
    yield Metric("lost_mailboxes", count, recovery, "mailboxes that lost a message or more")
    yield Metric("phantom", count, opened, "messages that were never acknowledged, and are there")
    yield Metric("damaged", count, opened, "messages that differ from what was acknowledged")
    yield Metric("findings", count, opened, "what checkers of other packages found in the mail")
    yield Metric("refused", count, every, "1 for a recovery that was refused, else 0")
    yield Metric("recovered", count, every, "1 for a recovery that succeeded, else 0")
    for prefix, (curve, _) in _CURVES.items():
        for statistic, told in _STATISTICS.items():
            yield Metric(f"{prefix}exposure_{statistic}", length, run, f"{told} {curve}")
        told = f"for how long {curve} was over this limit"
        yield Metric(f"{prefix}rpo_not_met", length, run, told, has_limit=True)
    yield Metric("catch_up", length, fault, "from its end until RPO(t) was as low as before it")
    yield Metric("bookmarks_made", count, run, "application-consistent points that were made")
    yield Metric("bookmarks_missed", count, run, "bookmarks that were due and could not be made")
    yield Metric("backlog_max", size, run, "the most that waited for the copy")
    whole = {"has_phases": False}
    yield Metric("backlog_age_max", length, run, "the longest that a write waited", **whole)
    yield Metric("throttled", length, run, "for how long the stream or writers were held", **whole)
    yield Metric("unordered", length, run, "for how long the order of writes was given up", **whole)
    yield Metric("gaps", count, run, "stretches of the stream without points", **whole)
    yield Metric("retention_window", length, run, "from the oldest point to the newest", **whole)
    yield Metric("alarms", count, run, "alarms that stood at the end, or at a disaster", **whole)
    yield Metric("sent_bytes", size, run, "what went over the line", **whole)
    for prefix, (_, point) in _CURVES.items():
        told = f"share of the retention window that can be recovered to {point}"
        yield Metric(f"{prefix}coverage", share, run, told, **whole)


METRICS = {metric.name: metric for metric in _metrics()}

_NAME = re.compile(
    r"(?P<owner>[^.@()]+)(?:@(?P<copy>[^.@()]+))?\.(?P<metric>[^@()]+?)"
    r"(?:\((?P<limit>[^()]*)\))?(?:@(?P<phase>[^.@()]+))?"
)
METRIC_PATTERN = (
    r"^[A-Za-z][A-Za-z0-9_-]*(@[A-Za-z0-9_-]+)?\.("
    + "|".join(re.escape(metric.name) for metric in METRICS.values())
    + r")(\([0-9][^()]*\))?(@[A-Za-z0-9_-]+)?$"
)


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric as a threshold names it; `copy` and `phase` are empty for all, `limit_ns` None."""

    protection: str
    copy: str
    metric: Metric
    limit_ns: int | None
    phase: str


def parse_metric_name(text: str) -> MetricName:
    """Reads `cdp.rpo`, `cdp@recovery.rto.replay`, `cdp.rpo_not_met(60 s)@quiet`.

    Raises:
        QuantityError: not the name of a metric, or one that is not of this kind.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        hint = "write PROTECTION.METRIC, such as 'cdp.rpo'"
        raise QuantityError(f"{quoted(text)} is not a metric", hint)
    metric = METRICS.get(match["metric"])
    if metric is None:
        written = match["metric"].replace(".", "_")
        hint = suggestion(written, METRICS, what="metrics")
        raise QuantityError(f"{quoted(match['metric'])} is not a metric", hint)
    if match["phase"] and not metric.has_phases:
        message = f"'{metric.name}' is of the whole run, not of a phase"
        raise QuantityError(message, f"write '{match['owner']}.{metric.name}'")
    limit_ns = _limit_ns(metric, match["limit"])
    return MetricName(match["owner"], match["copy"] or "", metric, limit_ns, match["phase"] or "")


def _limit_ns(metric: Metric, written: str | None) -> int | None:
    if written is None and metric.has_limit:
        message = f"'{metric.name}' needs the RPO that is promised"
        raise QuantityError(message, f"write for example '{metric.spelling}'")
    if written is None:
        return None
    if not metric.has_limit:
        raise QuantityError(f"'{metric.name}' takes no limit", f"write '{metric.name}'")
    return DURATION.parse(written)


def metric_rows() -> list[tuple[str, str, str, str]]:
    """The table for people: spelling, unit, what gives a sample, what it is."""
    units = {
        Measure.DURATION_NS: "duration",
        Measure.SIZE_BYTES: "size",
        Measure.COUNT: "number",
        Measure.SHARE: "share",
    }
    return [
        (metric.spelling, units[metric.measure], metric.sampling.value, metric.description)
        for metric in METRICS.values()
    ]
