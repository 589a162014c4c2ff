"""A protection: the volumes' files at an interval, whole, sent to another site and kept there.

Fault model: what has not arrived whole when the mail server is lost is in no point; an outage of
the line holds a snapshot up; the copy is lost with its site. Reading a snapshot is not charged to
the disks of the mail server.
"""

import json
from collections.abc import Generator
from typing import Any, Literal

from pydantic import Field

from rpolab.hooks import (
    ConnectionClosed,
    Endpoint,
    ImageFiles,
    Interval,
    Laboratory,
    MemoryFiles,
    Name,
    OwnProtection,
    PointKeeper,
    PointUnavailable,
    ProtectedPoint,
    to_bytes,
)

PIECE_BYTES = 2**20

Process = Generator[Any, Any, None]


class PeriodicSnapshotKeys(OwnProtection):
    """All files of the mail server's volumes, sent to another site at an interval."""

    kind: Literal["periodic_snapshot"]
    site: Name = Field(description="Where they are kept.", examples=["recovery"])
    every_ns: Interval = Field(
        alias="every", description="Time from one snapshot to the next.", examples=["5 min"]
    )
    keep: int = Field(2, description="How many are kept.", ge=1, le=100)


class PeriodicSnapshot(PointKeeper):
    """Takes, sends, keeps and gives back snapshots."""

    settings = PeriodicSnapshotKeys

    def __init__(self, keys: PeriodicSnapshotKeys, name: str, laboratory: Laboratory) -> None:
        super().__init__(keys, name, laboratory, copy_site=keys.site)
        self._keys = keys
        self._kernel = laboratory.kernel
        self._host = laboratory.add_host(name, keys.site)
        self._volume = laboratory.add_volume(name, self._host, keys.site)
        self._link = laboratory.link_between(laboratory.mail_host_site, keys.site)
        self._under_way: dict[int, ProtectedPoint] = {}

    def start(self) -> None:
        """Nothing: there is no mail yet that a snapshot could hold."""

    def start_bookmarks(self) -> None:
        """Begin, now that the mail server runs."""
        connection = self._link.connect(self.laboratory.mail_host, self._host)
        self._host.spawn(self._receive(connection.right), name=f"{self.name} copy")
        self.laboratory.mail_host.spawn(self._send(connection.left), name=self.name)

    def image(self, point: ProtectedPoint) -> ImageFiles:
        """Read a snapshot's files back from the copy's volume."""
        if self._volume.lost or not self._host.up:
            message = f"the copy of {self.name} at {self.copy_site} is down"
            raise PointUnavailable(message, "bring its server up")
        groups = {group.name: MemoryFiles() for group in self.laboratory.groups}
        bytes_read = 0
        for kept in self._volume.names():
            number, group, file = kept.split("/", 2)
            if int(number) == point.sequence:
                content = self._volume.peek(kept, 0, self._volume.size(kept))
                groups[group].create(file)
                groups[group].write(file, 0, content)
                bytes_read += len(content)
        return ImageFiles(groups, bytes_read)

    # --- at the mail server -------------------------------------------------------------------

    def _send(self, line: Endpoint) -> Process:
        """Take a snapshot at each interval, and send it whole before the next is due."""
        while True:
            every_ns = self._keys.every_ns
            yield self._kernel.sleep(every_ns - self._kernel.now_ns % every_ns)
            try:
                yield from self._send_one(line)
            except ConnectionClosed:
                return  # the copy is gone, and what it has kept is what there is

    def _send_one(self, line: Endpoint) -> Process:
        point = self.begin_point()
        self._under_way[point.sequence] = point
        # All volumes in one instant: no time passes between them.
        taken = [
            (group.name, volume.snapshot())
            for group in self.laboratory.groups
            for volume in self.laboratory.protected_volumes(group).values()
        ]
        for group, snapshot in taken:
            for file in snapshot.names():
                name = f"{point.sequence}/{group}/{file}"
                yield line.send(_header("file", name))
                for offset in range(0, snapshot.size(file), PIECE_BYTES):
                    yield line.send(to_bytes(snapshot.read(file, offset, PIECE_BYTES)))
        yield line.send(_header("end", str(point.sequence)))

    # --- at the copy --------------------------------------------------------------------------

    def _receive(self, line: Endpoint) -> Process:
        """Write what arrives, and call a snapshot a point once all of it is on the disk."""
        name, received = "", []
        while True:
            message = yield from line.inbox.receive()
            if isinstance(message, ConnectionClosed):
                return
            header = _read_header(message)
            if header is None:
                yield self._volume.append(name, (message,))
                continue
            kind, text = header
            if kind == "file":
                name = text
                received.append(name)
                yield self._volume.create(name)
                continue
            for file in received:
                yield self._volume.flush(file)
            received = []
            self.keep_point(self._under_way.pop(int(text)))
            yield from self._forget()

    def _forget(self) -> Process:
        """Delete the oldest snapshots beyond the number to keep; they are no points first."""
        while len(self.points) > self._keys.keep:
            oldest = self.points[0]
            self.give_up_point(oldest)
            for kept in self._volume.names():
                if kept.startswith(f"{oldest.sequence}/"):
                    yield self._volume.delete(kept)


MARK = b"own-hooks\0"


def _header(kind: str, text: str) -> bytes:
    return MARK + json.dumps([kind, text]).encode()


def _read_header(message: bytes) -> tuple[str, str] | None:
    """The header, or None where the message is a piece of a file."""
    if not message.startswith(MARK):
        return None
    kind, text = json.loads(message[len(MARK) :])
    return kind, text
