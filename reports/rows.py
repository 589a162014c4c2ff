"""Recoveries as rows of a table: plain values by name, for whatever reads tables."""

from collections.abc import Iterable, Iterator
from typing import Any

from reports.recoveries import Recovery

Row = dict[str, Any]


def recovery_rows(name: str, recoveries: Iterable[Recovery]) -> Iterator[Row]:
    """Yields a row for each recovery of a protection; what was not measured is None.

    Args:
        name: the protection's.
        recoveries: its recoveries.
    """
    for recovery in recoveries:
        lost = recovery.lost
        yield {
            "protection": name,
            "copy": recovery.copy_name,
            "at_s": recovery.at_s,
            "cause": recovery.cause,
            "class": recovery.consistency,
            "outcome": recovery.outcome,
            "rpo_s": recovery.rpo_s,
            "reported_rpo_s": recovery.reported_rpo_s,
            "rto_s": recovery.rto_s,
            "lost_messages": None if lost is None else lost.messages,
            "lost_bytes": None if lost is None else lost.bytes,
            "lost_logs": None if lost is None else lost.logs,
            "phantom": recovery.phantom,
            "damaged": recovery.damaged,
            "findings": recovery.findings_count,
            "refusal": recovery.refusal,
        }
