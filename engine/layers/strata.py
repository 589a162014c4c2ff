"""Strata: the intervals of a history laid over each other, and reading down through them.

A stratum speaks for the records of (low, high]: a layer, or records of one segment. Strata that
adjoin each other down to the beginning of the history, or to one that needs nothing below it, make
a view of all files at the uppermost `high`. Bytes are looked for from the newest stratum down until
all are found; a stratum's `cut` ends the search behind it. Only what is looked at is read.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from engine.basics.payload import Segments, slice_of

_CACHE_BYTES_MAX = 16 << 20


class Shape(NamedTuple):
    """What a stratum knows of a file's length: `size` alone where `is_absolute`, else at least."""

    size: int
    cut: int | None
    is_absolute: bool


class Piece(NamedTuple):
    """Bytes start..stop of a file are those from `skip` on of what `reference` refers to.

    Without a reference they are zeros. `stratum` knows what its references mean.
    """

    start: int
    stop: int
    stratum: "Stratum"
    reference: object
    skip: int

    @property
    def length(self) -> int:
        """Return the number of bytes."""
        return self.stop - self.start


class Stretch(NamedTuple):
    """What a piece refers to whose bytes come from `parts` that lie side by side in one file."""

    parts: tuple[object, ...]


class Stratum(Protocol):
    """What the records of (low, high] did, as far as it can still be seen at `high`."""

    @property
    def low(self) -> int:
        """Return the sequence before the first record."""
        ...

    @property
    def high(self) -> int:
        """Return the sequence of the last record."""
        ...

    def names_over(self, below: Mapping[int, str] | None) -> dict[int, str] | None:
        """Return the names of the files at `high`, given those at `low`; None: they are needed."""
        ...

    def touches(self, file: int) -> bool:
        """Return False only where nothing is known here of a file: it can be passed over."""
        ...

    def shape(self, file: int) -> Shape:
        """Return what is known here of a file that lives at `high`."""
        ...

    def covering(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the pieces within start..stop that the interval wrote, in order."""
        ...

    def stretches(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the bytes of `covering` in fewer pieces, where one read can fetch more of them.

        Such a piece refers to a `Stretch`.
        """
        ...

    def next_start(self, file: int, position: int) -> int | None:
        """Return the first offset from `position` on that the interval wrote; None without one."""
        ...

    def payload(self, reference: object) -> Segments:
        """Read what a piece of this stratum refers to.

        Raises:
            JournalDamaged: The stored bytes contradict their checksums.
        """
        ...


def resolve(
    strata: Iterable[Stratum], file: int, start: int, stop: int, *, in_stretches: bool = False
) -> list[Piece]:
    """Return the newest piece for every byte of start..stop that has one, in order.

    Args:
        strata: Adjoining ones, the newest first.
        file: The file's id; it must live at the first stratum's `high`.
        start: The first byte wanted.
        stop: The offset after the last one.
        in_stretches: For who only reads: pieces that can be read together are one.
    """
    found: list[Piece] = []
    wanted = [(start, stop)] if start < stop else []
    for stratum in strata:
        wanted = _look(stratum, file, wanted, found, in_stretches=in_stretches)
        if not wanted:
            break
    found.sort(key=_start_of)
    return found


def filled(
    pieces: Iterable[Piece], content: Callable[[Piece], Segments], start: int, stop: int
) -> Segments:
    """Return bytes start..stop: those of the pieces, in order, and zeros where there is none."""
    position = start
    parts: list[bytes | int] = []
    for piece in pieces:
        if piece.start > position:
            parts.append(piece.start - position)
        parts += content(piece)
        position = piece.stop
    if stop > position:
        parts.append(stop - position)
    return tuple(parts)


def _start_of(piece: Piece) -> int:
    return piece.start


def _look(
    stratum: Stratum,
    file: int,
    wanted: list[tuple[int, int]],
    found: list[Piece],
    *,
    in_stretches: bool,
) -> list[tuple[int, int]]:
    """Add what this stratum has of the ranges to `found`; return what is wanted of those below."""
    cut = stratum.shape(file).cut
    missing: list[tuple[int, int]] = []
    covering = stratum.stretches if in_stretches else stratum.covering
    for start, stop in wanted:
        position = start
        for piece in covering(file, start, stop):
            if piece.start > position:
                missing.append((position, piece.start))
            found.append(piece)
            position = piece.stop
        if stop > position:
            missing.append((position, stop))
    if cut is None:
        return missing
    return [(start, min(stop, cut)) for start, stop in missing if start < cut]


def cut_through(strata: Sequence[Stratum], file: int) -> int | None:
    """Return from where on nothing from below all of these strata shows."""
    cuts = [cut for stratum in strata if (cut := stratum.shape(file).cut) is not None]
    return min(cuts, default=None)


def next_start(strata: Iterable[Stratum], file: int, position: int) -> int | None:
    """Return the first offset from `position` on that any of the strata may have bytes for."""
    starts = [stratum.next_start(file, position) for stratum in strata]
    return min((start for start in starts if start is not None), default=None)


class View:
    """All files at the `high` of the first stratum; files go by their ids.

    Args:
        strata: Adjoining ones, the newest first, down to the beginning of the history, or to one
            that needs nothing below it.
    """

    def __init__(self, strata: Sequence[Stratum]) -> None:
        self.strata = tuple(strata)
        for upper, lower in zip(self.strata, self.strata[1:], strict=False):
            assert upper.low == lower.high, f"strata {upper.low} and {lower.high} do not adjoin"
        self.names = _names(self.strata)
        self._sizes: dict[int, int] = {}
        self._touching: dict[int, Touching] = {}
        self._payloads = PayloadCache()

    def size(self, file: int) -> int:
        """Return the size of a live file in bytes."""
        if file not in self._sizes:
            self._sizes[file] = self._measure(file)
        return self._sizes[file]

    def read(self, file: int, offset: int, length: int) -> Segments:
        """Return bytes from `offset` on, fewer than `length` only at the file's end."""
        stop = min(offset + length, self.size(file))
        pieces = resolve(self.strata_of(file), file, offset, stop, in_stretches=True)
        return filled(pieces, self.content, offset, stop)

    def pieces(self, file: int, step_bytes: int) -> Iterator[Piece]:
        """Yield all written pieces of a file, in order, looking `step_bytes` ahead at a time."""
        size, position, strata = self.size(file), 0, self.strata_of(file)
        while (start := next_start(strata, file, position)) is not None and start < size:
            position = min(start + step_bytes, size)
            yield from resolve(strata, file, start, position)

    def content(self, piece: Piece) -> Segments:
        """Return a piece's bytes."""
        return self._payloads.content(piece)

    def strata_of(self, file: int) -> "Touching":
        """Return the strata that say anything of a file."""
        if file not in self._touching:
            self._touching[file] = Touching(self.strata, file)
        return self._touching[file]

    def _measure(self, file: int) -> int:
        size = 0
        for stratum in self.strata:
            shape = stratum.shape(file)
            size = max(size, shape.size)
            if shape.is_absolute:
                break
        return size


class Touching:
    """The strata that say anything of a file, newest first, found as far down as one looks."""

    def __init__(self, strata: Sequence[Stratum], file: int) -> None:
        self._rest = iter(strata)
        self._file = file
        self._found: list[Stratum] = []

    def __iter__(self) -> Iterator[Stratum]:
        at = 0
        while at < len(self._found) or self._find():
            yield self._found[at]
            at += 1

    def _find(self) -> bool:
        for stratum in self._rest:
            if stratum.touches(self._file):
                self._found.append(stratum)
                return True
        return False


def _names(strata: Sequence[Stratum]) -> dict[int, str]:
    """Return the names of all files: from the newest stratum that knows them by itself."""
    above: list[Stratum] = []
    names: dict[int, str] | None = {}
    for stratum in strata:
        names = stratum.names_over(None)
        if names is not None:
            break
        above.append(stratum)
        names = {}
    for stratum in reversed(above):
        names = stratum.names_over(names)
        assert names is not None, "a stratum knows the names over those below it"
    return names or {}


class PayloadCache:
    """The payloads used last: neighbouring reads often share one."""

    def __init__(self) -> None:
        self._payloads: OrderedDict[tuple[int, int, object], Segments] = OrderedDict()
        self._bytes = 0

    def content(self, piece: Piece) -> Segments:
        """Return a piece's bytes, from memory if they were used lately."""
        stratum, reference = piece.stratum, piece.reference
        if reference is None:
            return (piece.length,)
        if isinstance(reference, Stretch):  # who reads so much at a time goes on behind it
            payload = stratum.payload(reference)
        else:
            payload = self._payload(stratum, reference)
        return slice_of(payload, piece.skip, piece.skip + piece.length)

    def _payload(self, stratum: Stratum, reference: object) -> Segments:
        key = (stratum.low, stratum.high, reference)
        if key in self._payloads:
            self._payloads.move_to_end(key)
            return self._payloads[key]
        payload = stratum.payload(reference)
        self._payloads[key] = payload
        self._bytes += _memory_of(payload)
        while self._bytes > _CACHE_BYTES_MAX and len(self._payloads) > 1:
            _, dropped = self._payloads.popitem(last=False)
            self._bytes -= _memory_of(dropped)
        return payload


def _memory_of(payload: Segments) -> int:
    return sum([len(item) for item in payload if isinstance(item, bytes)])
