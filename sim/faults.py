"""The kinds of faults.

Each says what it strikes, what has to change for it to count as fired, and what it counts as
touched. How they are drawn, scheduled and reported: fault_plan.py; those that come when something
becomes true: fault_watch.py.
"""

from sim.disk_faults import (
    BitRot,
    DiskSlow,
    DiskStall,
    InputOutputErrors,
    LostWrite,
    MisdirectedWrite,
    StaleSnapshot,
    VolumeFull,
    VolumeLoss,
)
from sim.fault_plan import (
    Fault,
    FaultOutcome,
    FaultPlan,
    FaultTargetMissing,
    Injection,
    World,
)
from sim.link_faults import LinkDegraded, LinkDelayed, LinkLossy, LinkOneWay, LinkOutage
from sim.site_faults import PowerCut, SiteLoss, SitePowerCut

__all__ = [
    "BitRot",
    "DiskSlow",
    "DiskStall",
    "Fault",
    "FaultOutcome",
    "FaultPlan",
    "FaultTargetMissing",
    "Injection",
    "InputOutputErrors",
    "LinkDegraded",
    "LinkDelayed",
    "LinkLossy",
    "LinkOneWay",
    "LinkOutage",
    "LostWrite",
    "MisdirectedWrite",
    "PowerCut",
    "SiteLoss",
    "SitePowerCut",
    "StaleSnapshot",
    "VolumeFull",
    "VolumeLoss",
    "World",
]
