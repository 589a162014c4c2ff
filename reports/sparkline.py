"""Many values in one line: a bar of a character for each, in the order given."""

from collections.abc import Sequence

_EIGHTHS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII_STEPS = "_.-=+*%#"
GAP = " "


def sparkline(values: Sequence[float | None], *, ascii_only: bool = False) -> str:
    """One character for each value, the lowest bar for the lowest; a gap where there is none.

    Values that are all the same are drawn half high: nothing in them is low or high.
    """
    steps = _ASCII_STEPS if ascii_only else _EIGHTHS
    known = [value for value in values if value is not None]
    if not known:
        return GAP * len(values)
    low, high = min(known), max(known)
    if low == high:
        return "".join(GAP if value is None else steps[3] for value in values)
    return "".join(
        GAP if value is None else steps[_step(value, low, high, len(steps))] for value in values
    )


def _step(value: float, low: float, high: float, steps: int) -> int:
    return min(steps - 1, int((value - low) / (high - low) * steps))
