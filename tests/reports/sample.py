"""A full result for the tests of the renderings."""

from reports import (
    Amount,
    Assumption,
    Cell,
    Curve,
    Digests,
    FaultResult,
    Loss,
    LostMessage,
    Point,
    ProtectionResult,
    Recovery,
    Result,
    RtoStep,
    ScenarioReference,
    Study,
    ThresholdResult,
    Verdict,
    worst_verdict,
)

S = 1_000_000_000

CURVE = Curve.from_points(0, 3600 * S, [(i * 300 * S + 2 * S, i * 300 * S) for i in range(12)], 0)


def lost_message(number, subject="Re: the plan"):
    return LostMessage(
        mailbox=f"user{number}@example.com",
        subject=subject,
        acknowledged_s=1798.0,
        stage="pool",
        bytes=2_345,
    )


def disaster(**changes):
    values = {
        "at_s": 1800.0,
        "cause": "disaster",
        "outcome": "recovered",
        "point": Point(consistency="any", time_s=1797.6, sequence=12_345),
        "rpo_s": 2.4,
        "reported_rpo_s": 2.4,
        "lost": Loss(messages=3, bytes=7_035),
        "lost_messages_list": tuple(lost_message(number) for number in range(3)),
        "rto_s": 4320.0,
        "rto_steps": (
            RtoStep(step="detect", seconds=300, basis="assumption"),
            RtoStep(step="decide", seconds=3600, basis="assumption", source="the operator"),
            RtoStep(step="replay", seconds=400, basis="measured"),
            RtoStep(step="mount", seconds=20, basis="sourced", source="exchange.md 6.3"),
        ),
    }
    return Recovery(**{**values, **changes})


def drill(at_s, **changes):
    values = {
        "at_s": at_s,
        "cause": "drill",
        "outcome": "recovered",
        "point": Point(consistency="any", time_s=at_s - 2, sequence=int(at_s)),
        "rpo_s": 2.0,
        "lost": Loss(messages=0, bytes=0),
    }
    return Recovery(**{**values, **changes})


def result(*recoveries, **changes):
    values = {
        "program": "rpolab 0.1.0",
        "scenario": ScenarioReference(
            title="Losing the primary site", file="site-loss", starts_at="2007-06-04T10:00:00"
        ),
        "seed": 7,
        "digests": Digests(effects="ab" * 16, full="cd" * 16),
        "simulated_s": 3600.0,
        "wall_s": 3.2,
        "events": 1_234_567,
        "events_per_s": 385_802.0,
        "verdict": Verdict.MISSED,
        "thresholds": (
            ThresholdResult(
                metric="cdp.rpo", expr="max < 60 s", observed=60.0, unit="s", n=13,
                verdict=Verdict.MISSED, line=45,
            ),
            ThresholdResult(
                metric="cdp.lost_messages", expr="max <= 5", observed=None, unit="count", n=0,
                verdict=Verdict.NOT_EXERCISED, line=46, note="no sample was taken",
            ),
        ),
        "faults": (
            FaultResult(kind="site_loss", at_s=1800.0, fired=True, evidence="2 hosts were cut"),
            FaultResult(kind="link_outage", at_s=1200.0, fired=False),
        ),
        "protections": (
            ProtectionResult(
                name="cdp",
                kind="cdp",
                acknowledged=Amount(messages=1_204, bytes=10**8),
                recoveries=recoveries or (disaster(), drill(300), drill(600)),
                rpo=CURVE.statistics(),
                curve=CURVE.vertices(),
            ),
        ),
        "assumptions": (
            Assumption(
                name="detect", value="5 min", basis="assumption",
                source="nobody publishes a figure, so this is the usual interval of monitoring",
            ),
        ),
        "replay": "rpolab run site-loss --seed 7",
    }  # fmt: skip
    return Result(**{**values, **changes})


def cell(name="", *seeds, verdict=Verdict.MISSED, **changes):
    runs = tuple(result(seed=seed) for seed in seeds or (7, 8))
    settings = {"link.bandwidth": name.partition("=")[2]} if name else {}
    return Cell(**{"name": name, "settings": settings, "runs": runs, "verdict": verdict, **changes})


def study(*cells, **changes):
    cells = cells or (cell("link.bandwidth=2 Mbit/s"), cell("link.bandwidth=5 Mbit/s"))
    values = {
        "program": "rpolab 0.1.0",
        "scenario": cells[0].runs[0].scenario,
        "verdict": worst_verdict(item.verdict for item in cells),
        "cells": cells,
        "wall_s": 4.5,
    }
    return Study(**{**values, **changes})
