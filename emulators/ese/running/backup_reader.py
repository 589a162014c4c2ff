"""Copying a group's files to the medium of a streaming backup, page by page and log by log.

Fault model: that of the volumes that are read. A page with a wrong checksum is -1018, a log that is
none of this stream -612, one that is missing -569; what of a file has been copied then is of no
use, and an image without a header cannot be opened. What is behind the header of a streaming file
is copied as it is, since nothing tells whether it is damaged.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from emulators.ese.errors import ese_error, refusal
from emulators.ese.file_set import FileSet
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import LOG_HEADER_BYTES, archive_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.page import HEADER_PAGES, page_offset
from emulators.ese.formats.page_verification import verify_pages
from emulators.ese.formats.streaming_file import streaming_header, streaming_name
from emulators.ese.formats.values import BackupInfo
from emulators.ese.running.backup_source import BackupSource
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.truncation import archives_on
from sim.kernel import Kernel
from sim.payload import length_of, to_bytes

Process = Generator[Any, Any, None]

PAGES_PER_READ = 32
NANOSECONDS_PER_SECOND = 1_000_000_000
HINT_FULL_BACKUP = "make a full backup of all databases of the group first"


class BackupReader:
    """Reads from the group and writes to the medium.

    Args:
        kernel: simulated time.
        source: the group.
        medium: where the files go.
        throughput_bytes_s: what the medium takes per second, 0 when it is not what limits.
        note: told the number of each event, and what it is about.
    """

    def __init__(
        self,
        kernel: Kernel,
        source: BackupSource,
        medium: FileSet,
        throughput_bytes_s: int,
        note: Callable[[int, str], None],
    ) -> None:
        self._kernel = kernel
        self._source = source
        self._medium = medium
        self._throughput_bytes_s = throughput_bytes_s
        self._note = note
        self._format = source.parameters.file_format
        self._prefix = source.parameters.prefix

    def copy_pages(self, file: DatabaseFile) -> Process:
        """Read and check all pages in order.

        Operations of a volume complete in the order of issue, so a page counts as read from the
        moment its read begins.
        """
        self._note(220, file.name)
        self._medium.create(file.name)
        page_bytes = self._format.page_bytes
        done = 0
        try:
            while done < (total := self._page_count(file)):
                count = min(PAGES_PER_READ, total - done)
                offset = page_offset(done + 1, page_bytes)
                file.copied_to = done + count
                data = yield file.volume.read(file.name, offset, count * page_bytes)
                self._keep_pages(file.name, done + 1, to_bytes(data))
                yield from self._pace(length_of(data))
                require_mounted(self._source, file)
                done += count
        finally:
            file.copied_to = None
            self._source.let_pages_go()
        self._medium.truncate(file.name, page_offset(done + 1, page_bytes))
        self._note(221, file.name)

    def copy_streaming_file(self, file: DatabaseFile) -> Process:
        """Copy the streaming file of a database, where it has one, all but its header (F8).

        It comes after the database, so that it is long enough for all pages that were copied.
        """
        if not file.header.has_streaming_file:
            return
        name = streaming_name(file.name)
        self._note(220, name)
        size = file.volume.size(name)
        self._medium.create(name, size)
        page_bytes = self._format.page_bytes
        read_bytes = PAGES_PER_READ * page_bytes
        for offset in range(HEADER_PAGES * page_bytes, size, read_bytes):
            data = yield file.volume.read(name, offset, min(read_bytes, size - offset))
            content = to_bytes(data)
            if any(content):
                self._medium.write(name, offset, content)
            yield from self._pace(len(content))
            require_mounted(self._source, file)
        self._note(221, name)

    def _page_count(self, file: DatabaseFile) -> int:
        return file.volume.size(file.name) // self._format.page_bytes - HEADER_PAGES

    def _keep_pages(self, name: str, first_pgno: int, data: bytes) -> None:
        bad = verify_pages(data, first_pgno, self._format.page_bytes).bad
        if len(bad):
            where = f"{name}, page {first_pgno + int(bad[0])}: its checksum is wrong"
            raise ese_error(-1018, where, "restore the database from an older backup or a copy")
        if any(data):
            self._medium.write(name, page_offset(first_pgno, self._format.page_bytes), data)

    def _pace(self, byte_count: int) -> Process:
        """Wait until the medium has taken what was read."""
        rate = self._throughput_bytes_s
        if rate:
            yield self._kernel.sleep(byte_count * NANOSECONDS_PER_SECOND // rate)

    def copy_logs(self, generations: range) -> Process:
        """Copy closed logs, each of which must follow the one before it."""
        volume = self._source.log_volume
        self._require_logs(generations)
        names = [archive_name(self._prefix, each, self._format) for each in generations]
        self._note(223, f"{names[0]} - {names[-1]}")
        previous = None
        for generation, name in zip(generations, names, strict=True):
            payload = yield volume.read(name, 0, self._format.log_bytes)
            data = to_bytes(payload)
            previous = self._checked(data[:LOG_HEADER_BYTES], name, generation, previous)
            self._medium.create(name)
            self._medium.write(name, 0, data)
            self._medium.flush(name)
            yield from self._pace(len(data))

    def _require_logs(self, generations: range) -> None:
        present = archives_on(self._source.log_volume, self._prefix, self._format)
        missing = sorted({*generations} - {*present})
        if missing:
            names = ", ".join(archive_name(self._prefix, each, self._format) for each in missing)
            raise refusal(-569, f"{names}: deleted since the last backup", HINT_FULL_BACKUP, 227)

    def _checked(
        self, block: bytes, name: str, generation: int, previous: LogHeader | None
    ) -> LogHeader:
        """Return the header of a log, which must be the one that follows `previous`."""
        header = LogHeader.unpack(block, self._format, name)
        follows = previous is None or header.previous_created == previous.created
        is_own = header.signature == self._source.log_signature
        if not (follows and is_own and header.generation == generation):
            where = f"{name}: it is not generation {generation} of these logs"
            raise ese_error(-612, where, HINT_FULL_BACKUP)
        return header

    def finish_image(self, header: DatabaseHeader, name: str, info: BackupInfo) -> None:
        """Write the header of an image: it says that hard recovery is due (exchange.md R13)."""
        image = replace(header, full_backup_current=info)
        if header.has_streaming_file:
            self._put_header(streaming_name(name), streaming_header(image))
        self._put_header(name, image)

    def _put_header(self, name: str, header: DatabaseHeader) -> None:
        block = header.pack()
        self._medium.flush(name)
        self._medium.write(name, 0, block + block)
        self._medium.flush(name)


def require_mounted(source: BackupSource, file: DatabaseFile) -> None:
    """Refuse to go on with a database that has failed or is being dismounted."""
    if file.error is not None:
        raise file.error
    if file not in source.files:
        where = f"{file.name} was dismounted while it was being backed up"
        raise ese_error(-1003, where, "mount it and make the backup again")
