"""A database while it is mounted: its file, its pages and its tables.

Fault model: see database_file and page_flusher.
"""

from collections.abc import Callable

from emulators.ese.errors import ese_error
from emulators.ese.formats.database_header import DatabaseHeader, read_header
from emulators.ese.formats.format import Format
from emulators.ese.formats.log_records import AttachDb
from emulators.ese.formats.page import HEADER_PAGES, Page, page_offset
from emulators.ese.formats.streaming_file import check_files
from emulators.ese.formats.values import AttachInfo, Lgpos
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.staged_files import StagedFiles
from emulators.ese.trees.database import Database
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from sim.kernel import Kernel
from sim.trace import Trace
from sim.volume import FileMissing, Volume


class MountedDatabase:
    """What a storage group holds of one of its databases.

    Args:
        file: its file; the header says what number it has in the group.
        log: appends a record to the group's log and returns its position.
    """

    def __init__(self, file: DatabaseFile, log: Callable[[bytes], Lgpos]) -> None:
        self.file = file
        self.name = file.name
        self.dbid = file.header.dbid
        self.editor = Editor(file.cache, log, file.header.dbtime, self.dbid)
        space = Space(file.cache, self.editor, file.grow)
        self.tables = Database(file.cache, self.editor, space)
        #: Whether it is being dismounted: no transaction begins any more.
        self.is_leaving = False

    def attach_record(self) -> AttachDb:
        """Return the record by which the log begins to speak of this database."""
        header = self.file.header
        return AttachDb(
            procid=0,
            dbid=self.dbid,
            pages_max=0,
            lgpos_consistent=header.consistent,
            signature=header.signature,
            log_signature=header.log_signature,
            path=self.name,
        )

    def attach_info(self, attach: Lgpos) -> AttachInfo:
        """Return the entry for this database in the headers of logs after its attach record."""
        header = self.file.header
        return AttachInfo(
            dbid=self.dbid,
            path=self.name,
            dbtime=header.dbtime,
            objid_last=header.objid_last,
            pages_max=0,
            lgpos_attach=attach,
            lgpos_consistent=header.consistent,
            signature=header.signature,
        )


def read_clean_header(volume: Volume, name: str, file_format: Format) -> DatabaseHeader:
    """Return the header of a database that can be mounted.

    Raises:
        EseError: -1811 when it is missing, -1213 for another page size, -1206 when header and
            shadow are damaged, -550 when it needs recovery first, -540 when the streaming file is
            not the one that belongs to it.
    """
    if not volume.exists(name):
        raise ese_error(-1811, name, "create the database, or bring its file back")
    files = StagedFiles(volume, volume)
    header = read_header(files, name, file_format)
    if not header.is_clean:
        hint = "run soft recovery (eseutil /r) first"
        raise ese_error(-550, f"{name}: its state is {header.state.name}", hint)
    check_files(files, name, header)
    return header


def open_file(
    kernel: Kernel,
    trace: Trace,
    volume: Volume,
    name: str,
    header: DatabaseHeader,
    *,
    bytes_max: int | None,
) -> DatabaseFile:
    """Open a file whose header was read; raises EseError -1012 when it is over its limit.

    A page that cannot be loaded later because the file is gone is -1022 and stops the database.
    """
    page_bytes = header.page_bytes
    size = volume.size(name)
    if bytes_max is not None and size > bytes_max:
        hint = "defragment it offline (eseutil /d), or raise the edition's limit"
        raise ese_error(-1012, f"{name} has {size} bytes of {bytes_max}", hint)

    def load(pgno: int) -> Page:
        try:
            image = volume.peek(name, page_offset(pgno, page_bytes), page_bytes)
        except FileMissing as error:  # a volume that was destroyed has no files any more
            raise file.fail(error) from error
        return Page.from_bytes(image, pgno, name)

    file = DatabaseFile(
        kernel,
        trace,
        volume,
        name,
        header,
        PageCache(load, header.file_format),
        last_pgno=size // page_bytes - HEADER_PAGES,
        waypoint=0,
        bytes_max=bytes_max,
    )
    return file
