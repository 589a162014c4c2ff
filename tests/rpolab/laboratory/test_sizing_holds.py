"""What `check` reckons that users write is what the laboratory's users write, within a fifth."""

import pytest

from rpolab.laboratory.running import run_scenario
from scenarios import parse
from scenarios.draft import draft_of
from scenarios.phases import Span
from scenarios.quantities import MINUTE_NS
from scenarios.sizing import WIRE_PER_BYTE, churn_of

WIDE = [{"between": ("primary", "recovery"), "bandwidth": "100 Mbit/s", "latency": "5 ms"}]
PROTECT = {
    "cdp": {
        "kind": "cdp",
        "copies": ({"site": "recovery", "retention": "1 d"},),
        "pool": "1 GiB",
    }
}
RUN = Span(0, 20 * MINUTE_NS)


def values(version, profile, mailboxes):
    group = {"name": "SG1", "databases": ("MDB1",), "mailboxes": mailboxes, "profile": profile}
    return {
        "title": "Twenty minutes of the peak",
        "seed": 5,
        "start": "10:00",
        "duration": "20 min",
        "exchange": {"version": version, "storage_groups": (group,)},
        "sites": {"primary": {}, "recovery": {}},
        "links": tuple(WIDE),
        "protect": PROTECT,
    }


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("version", "profile", "mailboxes"),
    [
        (2007, "heavy", 60),
        (2007, "average", 60),
        (2003, "heavy", 30),
        (2007, {"sent": 20, "received": 80, "size": "100 KiB"}, 60),
    ],
)
def test_the_sizing_tables_and_the_emulated_users_agree_within_a_fifth(
    version, profile, mailboxes, figure
):
    written = values(version, profile, mailboxes)
    reckoned = churn_of(draft_of(written, None)).written_bytes(RUN)
    health = run_scenario(parse(written)).result.protections[0].health
    figure(f"{profile}: {health.sent_raw_bytes / reckoned:.2f} of the tables' bytes, "
           f"{health.sent_wire_bytes / health.sent_raw_bytes:.3f} of them on the line")  # fmt: skip
    assert health.sent_raw_bytes == pytest.approx(reckoned, rel=0.2)
    wire = health.sent_wire_bytes / health.sent_raw_bytes
    assert wire == pytest.approx(float(WIRE_PER_BYTE), rel=0.2)
