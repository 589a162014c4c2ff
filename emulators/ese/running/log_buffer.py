"""The log buffer: records appended by transactions, waiting to be written to the current log.

Appending assigns the log position at once. When a record does not fit into the generation, the
next generation is opened here; the storage group carries the roll out on disk afterwards, in
order. A record never spans two log files (ese-format.md G).
"""

from collections import deque

from emulators.ese.formats.format import Format
from emulators.ese.formats.log_stream import LogFrame, lgpos_at
from emulators.ese.formats.values import Lgpos


class LogBuffer:
    """The generations that hold records not yet on disk; the last one takes new records.

    Args:
        log_format: sizes of the log files.
        frame: the stream of the generation to go on with (new, or resumed after recovery).
    """

    def __init__(self, log_format: Format, frame: LogFrame) -> None:
        self._format = log_format
        self._frames: deque[LogFrame] = deque([frame])
        self._end = frame.position

    @property
    def appended(self) -> Lgpos:
        """Where the last record ends, or a new generation's first one would begin."""
        return lgpos_at(self._frames[-1].generation, self._end)

    def resume(self, frame: LogFrame) -> None:
        """Go on with a stream that is on disk; nothing may have been appended yet."""
        self._frames = deque([frame])
        self._end = frame.position

    @property
    def generation(self) -> int:
        """The generation that takes new records."""
        return self._frames[-1].generation

    @property
    def flushing(self) -> LogFrame:
        """The oldest generation with something to write."""
        return self._frames[0]

    @property
    def flushing_is_closed(self) -> bool:
        """Whether the oldest generation takes no more records, so that a roll must follow."""
        return len(self._frames) > 1

    @property
    def has_records(self) -> bool:
        """Whether the generation that takes new records has any."""
        frame = self._frames[-1]
        return frame.position > frame.first_position

    def append(self, record: bytes) -> Lgpos:
        """Append one record and return its log position."""
        frame = self._frames[-1]
        size = len(record)
        if not frame.room(size):
            frame = self.close_generation()
        offset = frame.append(record)
        self._end = offset + size
        return lgpos_at(frame.generation, offset)

    def close_generation(self) -> LogFrame:
        """Close the current generation and return the stream of the next one."""
        frame = LogFrame(self.generation + 1, self._format.log_bytes)
        self._frames.append(frame)
        self._end = frame.position
        return frame

    def rolled(self) -> None:
        """Forget the oldest generation: all of it is on disk and the roll was carried out."""
        assert self.flushing_is_closed, "the current generation cannot be forgotten"
        self._frames.popleft()
