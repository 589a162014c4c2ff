"""Which protection a scenario's `kind` stands for."""

from rpolab.laboratory.own_parts import made
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import Protection
from rpolab.protections.cdp import Cdp
from scenarios import ContinuousDataProtection, OwnProtection


def protection_of(
    name: str, spec: ContinuousDataProtection | OwnProtection, laboratory: Laboratory
) -> Protection:
    """Return the protection of that name in the scenario.

    Raises:
        HookFailed: the constructor of a package's protection failed.
    """
    if isinstance(spec, ContinuousDataProtection):
        return Cdp(name, spec, laboratory)
    protection: Protection = made("protection", spec, OwnProtection, name, laboratory)
    return protection
