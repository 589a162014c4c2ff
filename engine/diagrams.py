"""The state diagrams of the engine, drawn from the tables that the engine runs on.

    python -m engine.diagrams > docs/states.md

It lies beside the rooms and not in one of them, because it looks into all that have a table; a
test compares the page with what is drawn here, and finds tables that are not in `MACHINES`.
"""

import sys
from collections.abc import Iterable
from enum import Enum
from inspect import getdoc
from typing import NamedTuple

from engine.capture.modes import CAPTURE_TRANSITIONS, CaptureMode
from engine.failover.states import (
    FAILBACK_TRANSITIONS,
    PROMOTION_TRANSITIONS,
    FailbackState,
    PromotionState,
)
from engine.formats.wire import FrameType
from engine.health.verifier import VERIFIER_TRANSITIONS, VerifierState
from engine.layers.states import REWRITE_TRANSITIONS, RewriteState
from engine.retention.states import RETENTION_TRANSITIONS, RetentionState
from engine.session.states import (
    SOURCE_FRAMES,
    SOURCE_TRANSITIONS,
    TARGET_FRAMES,
    TARGET_TRANSITIONS,
    SourceState,
    TargetState,
)

_HEAD = """# The engine's states

Drawn from the transition tables that the engine runs on (`python -m engine.diagrams`); a test
fails when this page is behind them. A trigger that a state does not name is impossible there: as an
event of the driver it is a LocalProtocolError, as a frame of the other end FrameUnexpected.
"""


Transitions = Iterable[tuple[tuple[Enum, Enum], Enum]]
"""The items of a table: ((state, trigger), next state)."""


class Machine(NamedTuple):
    """One state machine: where it begins, every transition, and what its states are.

    `frames` says which frames of the other end each state takes, where there is another end.
    """

    title: str
    initial: Enum
    transitions: Transitions
    frames: frozenset[tuple[Enum, FrameType]] = frozenset()

    @property
    def states(self) -> type[Enum]:
        """Return the enumeration of its states."""
        return type(self.initial)

    @property
    def ends(self) -> list[Enum]:
        """Return the states that nothing leads out of."""
        alive = {before for (before, _), _ in self.transitions}
        return [state for state in self.states if state not in alive]


#: In the order of the page.
MACHINES = (
    Machine("Capture", CaptureMode.DATA, CAPTURE_TRANSITIONS.items()),
    Machine("Source session", SourceState.IDLE, SOURCE_TRANSITIONS.items(), SOURCE_FRAMES),
    Machine("Target session", TargetState.LISTENING, TARGET_TRANSITIONS.items(), TARGET_FRAMES),
    Machine("Rewrite of a layer", RewriteState.ROLLING, REWRITE_TRANSITIONS.items()),
    Machine("Retention", RetentionState.RESTING, RETENTION_TRANSITIONS.items()),
    Machine("Promotion of a copy", PromotionState.STANDBY, PROMOTION_TRANSITIONS.items()),
    Machine("Failback", FailbackState.SAVING, FAILBACK_TRANSITIONS.items()),
    Machine("Verifier", VerifierState.IDLE, VERIFIER_TRANSITIONS.items()),
)


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *[_section(machine) for machine in MACHINES]])


def _section(machine: Machine) -> str:
    lines = [f"## {machine.title}", "", getdoc(machine.states) or "", "", "```mermaid"]
    lines += ["stateDiagram-v2", f"    [*] --> {machine.initial.value}"]
    lines += [
        f"    {before.value} --> {after.value}: {trigger.value}"
        for (before, trigger), after in machine.transitions
    ]
    lines += [f"    {state.value} --> [*]" for state in machine.ends]
    lines += ["```", ""]
    return "\n".join(lines + _frames_table(machine))


def _frames_table(machine: Machine) -> list[str]:
    if not machine.frames:
        return []
    rows = []
    for state in machine.states:
        taken = [kind.name for kind in FrameType if (state, kind) in machine.frames]
        rows.append(f"| {state.value} | {', '.join(taken) or 'none'} |")
    return ["| state | frames that it takes |", "|---|---|", *rows, ""]


if __name__ == "__main__":
    sys.stdout.write(page())
