"""What a package needs that brings faults, workloads, checkers or protections of its own.

Names are looked up when they are first used. Everything here is what rpolab's own parts are made
from; what a class must have is said there.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulators.ese.file_set import MemoryFiles
    from emulators.exchange.arrivals import Arrival, Send
    from emulators.exchange.store import Store
    from rpolab.laboratory.world import Laboratory
    from rpolab.mail.own_mail import OwnMail
    from rpolab.protections.base import ImageFiles, PointUnavailable, ProtectedPoint
    from rpolab.protections.own import PointKeeper
    from scenarios import OwnChecker, OwnFault, OwnProtection, OwnWorkload
    from scenarios.fields import (
        Duration,
        Interval,
        Name,
        PositiveDuration,
        Rate,
        Share,
        Size,
        refusal,
        setting,
    )
    from sim.connection import ConnectionClosed, Endpoint
    from sim.fault_plan import Injection
    from sim.payload import to_bytes

__all__ = [
    "Arrival",
    "ConnectionClosed",
    "Duration",
    "Endpoint",
    "ImageFiles",
    "Injection",
    "Interval",
    "Laboratory",
    "MemoryFiles",
    "Name",
    "OwnChecker",
    "OwnFault",
    "OwnMail",
    "OwnProtection",
    "OwnWorkload",
    "PointKeeper",
    "PointUnavailable",
    "PositiveDuration",
    "ProtectedPoint",
    "Rate",
    "Send",
    "Share",
    "Size",
    "Store",
    "refusal",
    "setting",
    "to_bytes",
]

_FIELDS = "scenarios.fields"
_HOMES = {
    "Arrival": "emulators.exchange.arrivals",
    "ConnectionClosed": "sim.connection",
    "Duration": _FIELDS,
    "Endpoint": "sim.connection",
    "ImageFiles": "rpolab.protections.base",
    "Injection": "sim.fault_plan",
    "Interval": _FIELDS,
    "Laboratory": "rpolab.laboratory.world",
    "MemoryFiles": "emulators.ese.file_set",
    "Name": _FIELDS,
    "OwnChecker": "scenarios",
    "OwnFault": "scenarios",
    "OwnMail": "rpolab.mail.own_mail",
    "OwnProtection": "scenarios",
    "OwnWorkload": "scenarios",
    "PointKeeper": "rpolab.protections.own",
    "PointUnavailable": "rpolab.protections.base",
    "PositiveDuration": _FIELDS,
    "ProtectedPoint": "rpolab.protections.base",
    "Rate": _FIELDS,
    "Send": "emulators.exchange.arrivals",
    "Share": _FIELDS,
    "Size": _FIELDS,
    "Store": "emulators.exchange.store",
    "refusal": _FIELDS,
    "setting": _FIELDS,
    "to_bytes": "sim.payload",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rpolab.hooks' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
