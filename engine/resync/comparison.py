"""The source's half of a comparison: hashes of the live files beside those of the target.

The target may answer from its image at any sequence from the beginning of the resync on, and a
live file may be read at any moment, while writes go on: where both are equal, nothing is lacking.
For each byte either a later record of the stream has it, or it is dirty, or neither has changed it
since. Where they differ only because one of them is later, the block is sent once too often.

Extents are compared in order, several at a time; up to where all are done is told to the capture.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.basics.errors import FrameUnexpected
from engine.basics.payload import Segments, length_of
from engine.basics.settings import ResyncSettings
from engine.capture.capture import Capture
from engine.contract.actions import ReadSource
from engine.formats.wire import HashAsk, ResyncHashes
from engine.resync.hashes import (
    HASH_BYTES,
    block_bytes_of,
    differing_blocks,
    hash_of_extent,
    hashes_of_blocks,
)


@dataclass(slots=True)
class ResyncFigures:
    """What the comparisons of one session came to; bytes are those of the source's files.

    `differing_bytes` were found to differ, and are marked dirty; `repeated_reads` had to be read
    again because the file was renamed meanwhile.
    """

    compared_bytes: int = 0
    differing_bytes: int = 0
    repeated_reads: int = 0


@dataclass(slots=True)
class _Extent:
    """An extent under comparison; `mine` and `theirs` are None until they are known."""

    file: int
    start: int
    stop: int
    block_bytes: int
    mine: bytes | None = None
    theirs: bytes | None = None


class Comparison:
    """Compares the live files of a capture with the target, from where it had come to.

    Args:
        capture: Tells how far it has come, and is told what differs.
        settings: How much is under way at a time.
        ask: Sends an ask, at a time.
    """

    def __init__(
        self, capture: Capture, settings: ResyncSettings, ask: Callable[[HashAsk, int], None]
    ) -> None:
        self.figures = ResyncFigures()
        self._capture = capture
        self._settings = settings
        self._ask = ask
        self._begun = 0  # the sequence that the comparison under way began at, 0 for none
        self._runs: Iterator[tuple[int, int, int]] = iter(())
        self._next = (0, 0)  # where the runs still to come begin
        self._extents: dict[tuple[int, int], _Extent] = {}  # in order
        self._bytes = 0
        #: Answers come in this order; None is one that nobody waits for any more.
        self._asked: deque[HashAsk | None] = deque()
        self._reading: dict[int, _Extent] = {}
        self._reads: list[ReadSource] = []

    def disconnected(self) -> None:
        """Forget what is under way: no answer will come."""
        self.stop()
        self._asked.clear()

    def stop(self) -> None:
        """Give up what is under way; where the capture says so, it is begun again from there."""
        self._begun = 0
        self._runs = iter(())
        self._extents.clear()
        self._bytes = 0
        for token in self._reading:
            self._capture.was_file_read(token)
        self._reading.clear()
        self._reads.clear()
        self._asked = deque(None for _ in self._asked)

    def pump(self, now_ns: int) -> list[ReadSource]:
        """Ask for as much as may be under way, and say when all is compared."""
        progress = self._capture.progress
        if self._begun != progress.begun:
            self.stop()
            self._begun = progress.begun
            self._next = (progress.file, progress.offset)
            self._runs = self._runs_to_compare()
        while self._has_room() and (run := next(self._runs, None)) is not None:
            self._open(*run, now_ns)
        self._capture.compared_up_to(*next(iter(self._extents), self._next))
        if self._has_room() and not self._extents:
            self._capture.close_gap_when_clean(now_ns)
            self.stop()
        reads, self._reads = self._reads, []
        return reads

    def answered(self, frame: ResyncHashes, now_ns: int) -> None:
        """Take an answer of the target.

        Raises:
            FrameUnexpected: It is not the answer to what was asked.
        """
        if not self._asked:
            raise FrameUnexpected("The target answers, but was not asked")
        if (ask := self._asked.popleft()) is None:
            return
        grain = ask.block_bytes if ask.is_detailed else ask.extent_bytes
        if (
            (frame.file, frame.is_detailed, frame.offset) != (ask.file, ask.is_detailed, ask.offset)
            or frame.sequence < ask.sequence
            or len(frame.hashes) % HASH_BYTES
            or len(frame.hashes) // HASH_BYTES > -(-ask.length // grain)
        ):
            raise FrameUnexpected(
                f"The target answers with {len(frame.hashes)} bytes of hashes from {frame.offset} "
                f"on of file id {frame.file}, at sequence {frame.sequence}: not what was asked"
            )
        if ask.is_detailed:
            self._compare_blocks(self._extents[ask.file, ask.offset], frame.hashes)
        else:
            self._compare_extents(ask, frame.hashes, now_ns)

    def source_read(self, token: int, data: Segments | None, now_ns: int) -> bool:
        """Take the answer to a read; return whether it was one of a comparison."""
        extent = self._reading.pop(token, None)
        if extent is None:
            return False
        if not self._capture.was_file_read(token):
            self.figures.repeated_reads += 1
            self._read(extent)
        elif data is None:
            self._differs(extent, extent.start, extent.stop)
            self._done(extent)
        else:
            self.figures.compared_bytes += length_of(data)
            extent.mine = hashes_of_blocks(data, extent.block_bytes)
            self._decide(extent, now_ns)
        return True

    # --- what is under way --------------------------------------------------------------------

    def _runs_to_compare(self) -> Iterator[tuple[int, int, int]]:
        """Yield (file, start, stop) of all that is to be compared, in order, an ask at a time.

        Files as they are now: what they grow by from now on is in the stream or dirty.
        """
        progress, extent_bytes = self._capture.progress, self._settings.extent_bytes
        step = max(self._settings.ask_bytes_max // extent_bytes, 1) * extent_bytes
        for file, _, size in self._capture.live_files().entries:
            if not progress.file <= file <= progress.file_newest:
                continue
            for start in range(progress.offset if file == progress.file else 0, size, step):
                yield file, start, min(start + step, size)

    def _has_room(self) -> bool:
        settings = self._settings
        is_full = len(self._extents) >= settings.window_extents_max
        return self._bytes < settings.window_bytes_max and not is_full

    def _open(self, file: int, start: int, stop: int, now_ns: int) -> None:
        """Ask for the hashes of a run, and for reads of the live file."""
        self._next = (file, stop)
        live = self._capture.live_file(file)
        stop = 0 if live is None else min(stop, live.size)
        if start >= stop:
            return
        assert live is not None, "only a live file has bytes"
        extent_bytes, block_bytes = self._settings.extent_bytes, block_bytes_of(live.size)
        self._send(
            HashAsk(file, block_bytes, extent_bytes, False, start, stop - start, self._begun),
            now_ns,
        )
        for offset in range(start, stop, extent_bytes):
            extent = _Extent(file, offset, min(offset + extent_bytes, stop), block_bytes)
            self._extents[file, offset] = extent
            self._bytes += extent.stop - extent.start
            self._read(extent)

    def _send(self, ask: HashAsk, now_ns: int) -> None:
        self._asked.append(ask)
        self._ask(ask, now_ns)

    def _read(self, extent: _Extent) -> None:
        """Ask for a read of the extent, if there is anything left of it."""
        live = self._capture.live_file(extent.file)
        if live is None or live.size <= extent.start:
            self._done(extent)
            return
        length = min(extent.stop, live.size) - extent.start
        read = self._capture.read_to_compare(extent.file, extent.start, length)
        self._reading[read.token] = extent
        self._reads.append(read)

    # --- what it comes to ---------------------------------------------------------------------

    def _compare_extents(self, ask: HashAsk, hashes: bytes, now_ns: int) -> None:
        for number, offset in enumerate(
            range(ask.offset, ask.offset + ask.length, ask.extent_bytes)
        ):
            extent = self._extents.get((ask.file, offset))
            if extent is not None:
                extent.theirs = hashes[number * HASH_BYTES :][:HASH_BYTES]
                self._decide(extent, now_ns)

    def _decide(self, extent: _Extent, now_ns: int) -> None:
        """Compare an extent once both hashes are there; if they differ, its blocks are next."""
        if extent.mine is None or extent.theirs is None:
            return
        if hash_of_extent(extent.mine) == extent.theirs:
            self._done(extent)
        elif not extent.theirs:
            self._differs(extent, extent.start, extent.stop)
            self._done(extent)
        else:
            length, size = extent.stop - extent.start, self._settings.extent_bytes
            ask = HashAsk(
                extent.file, extent.block_bytes, size, True, extent.start, length, self._begun
            )
            self._send(ask, now_ns)

    def _compare_blocks(self, extent: _Extent, hashes: bytes) -> None:
        assert extent.mine is not None, "blocks are asked for where they are known here"
        for block in differing_blocks(extent.mine, hashes):
            start = extent.start + block * extent.block_bytes
            self._differs(extent, start, min(start + extent.block_bytes, extent.stop))
        self._done(extent)

    def _differs(self, extent: _Extent, start: int, stop: int) -> None:
        self.figures.differing_bytes += stop - start
        self._capture.mark_dirty(extent.file, start, stop - start)

    def _done(self, extent: _Extent) -> None:
        if self._extents.pop((extent.file, extent.start), None) is not None:
            self._bytes -= extent.stop - extent.start
