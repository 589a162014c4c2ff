"""One step of a state machine by its table: all machines of the engine run on such tables."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from engine.basics.errors import LocalProtocolError

_State = TypeVar("_State", bound=Enum)
_Trigger = TypeVar("_Trigger", bound=Enum)


def next_state(
    who: str,
    transitions: Mapping[tuple[_State, _Trigger], _State],
    state: _State,
    trigger: _Trigger,
) -> _State:
    """Return the state after the trigger; `who` names the machine in the error.

    Raises:
        LocalProtocolError: The state does not know this trigger.
    """
    if (after := transitions.get((state, trigger))) is None:
        raise LocalProtocolError(f"{who} is {state.value}: {trigger.value} is impossible")
    return after
