"""The trace: one canonical line for each meaningful event, and two digests over them.

`effects` covers the order and the content of what happened but no times; `full` covers the
times too. Two runs with one seed have both equal; a change of timing alone moves `full` only.
Whoever records decides what is meaningful: a line per mail, log file or recovery, not one per
kernel event (simulation.md, speeds).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

__all__ = ["Difference", "Trace", "Value", "first_difference"]

Scalar = str | int | float | bytes | None  # a bool is an int
Value = Scalar | Sequence[Scalar]

DIGEST_BYTES = 16
LINES_PENDING_MAX = 256
CONTEXT_LINES = 10


class Trace:
    """The record of a run.

    Args:
        now: Returns the simulated time in nanoseconds.
        keep_lines: Whether to keep the lines, to compare two runs; the digests need none.
    """

    __slots__ = ("_effects", "_effects_pending", "_full", "_full_pending", "_now", "count", "lines")

    def __init__(self, now: Callable[[], int], *, keep_lines: bool = False) -> None:
        self._now = now
        self._effects = blake2b(digest_size=DIGEST_BYTES)
        self._full = blake2b(digest_size=DIGEST_BYTES)
        self._effects_pending: list[str] = []
        self._full_pending: list[str] = []
        self.count = 0
        self.lines: list[str] | None = [] if keep_lines else None

    def record(self, kind: str, /, **fields: Value) -> None:
        """Record an event.

        Args:
            kind: What happened, one word or dotted words.
            fields: The particulars: strings, numbers, bytes (recorded by their digest), None,
                or sequences of these. A field whose name ends in `_ns` is a time.
        """
        effect = kind
        times = ""
        for name in sorted(fields):
            if name.endswith("_ns"):
                times = f"{times} {name}={_written(fields[name])}"
            else:
                effect = f"{effect} {name}={_written(fields[name])}"
        line = f"{self._now()} {effect}{times}"
        self.count += 1
        self._effects_pending.append(effect)
        self._full_pending.append(line)
        if len(self._full_pending) >= LINES_PENDING_MAX:
            self._digest_pending()
        if self.lines is not None:
            self.lines.append(line)

    def digests(self) -> dict[str, str]:
        """Return both digests, in hexadecimal, over what was recorded so far."""
        self._digest_pending()
        return {"effects": self._effects.hexdigest(), "full": self._full.hexdigest()}

    def _digest_pending(self) -> None:
        """Feed the lines gathered so far to the digests."""
        for pending, digest in (
            (self._effects_pending, self._effects),
            (self._full_pending, self._full),
        ):
            if pending:
                digest.update("\n".join(pending).encode("utf-8", "surrogatepass"))
                digest.update(b"\n")
                pending.clear()


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two traces part.

    Attributes:
        index: The number of the first differing line, from 0.
        before: Up to ten lines that they share before it.
        left: The line of the first trace; None if it has ended.
        right: The line of the second trace; None if it has ended.
    """

    index: int
    before: tuple[str, ...]
    left: str | None
    right: str | None

    def __str__(self) -> str:
        shared = "".join(f"  {line}\n" for line in self.before)
        left = "(the end)" if self.left is None else self.left
        right = "(the end)" if self.right is None else self.right
        return f"{shared}- {left}\n+ {right}\n(line {self.index})"


def first_difference(left: Sequence[str], right: Sequence[str]) -> Difference | None:
    """Return where two lists of trace lines part, None if they are equal."""
    shared = min(len(left), len(right))
    index = next((i for i in range(shared) if left[i] != right[i]), shared)
    if index == len(left) == len(right):
        return None
    return Difference(
        index=index,
        before=tuple(left[max(index - CONTEXT_LINES, 0) : index]),
        left=left[index] if index < len(left) else None,
        right=right[index] if index < len(right) else None,
    )


def _written(value: Value) -> str:
    """Write a value canonically: the same in every process and on every Python."""
    if isinstance(value, str | int | float) or value is None:
        # Not repr(): which characters it escapes depends on the Python version.
        return ascii(value)
    if isinstance(value, bytes):
        return f"{len(value)}:{blake2b(value, digest_size=8).hexdigest()}"
    if isinstance(value, list | tuple):
        return f"[{' '.join(_written(item) for item in value)}]"
    message = f"a trace field cannot be a {type(value).__name__}: its text is not the same each run"
    raise TypeError(message)
