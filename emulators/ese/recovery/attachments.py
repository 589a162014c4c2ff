"""Which databases the log stream says are attached, held against the files (exchange.md R10-R12).

The header of the first log that is replayed lists what was attached when it began; the attach and
detach records go on from there. Each database that is attached at the end must be there, and must
be the one that the record names.

A clean database among dirty ones is left alone, as all that the log says of it is in it. If the log
changes it after the position to which it is consistent, the file is an older copy of the database:
to call the group recovered would be wrong, so that is refused as a mismatch (our reading of R10).
"""

from collections.abc import Mapping, Sequence

from emulators.ese.errors import EseError, ese_error
from emulators.ese.events import Event, event
from emulators.ese.formats.log_records import AttachDb, DetachDb
from emulators.ese.formats.values import AttachInfo, Lgpos
from emulators.ese.recovery.database_recovery import DatabaseRecovery
from emulators.ese.recovery.identity import HINT_ALL_OF_ONE_POINT, HINT_LEAVE_OUT
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.redo import PAGE_RECORDS

ATTACHMENT_RECORDS = frozenset((AttachDb, DetachDb))
"""The records by which databases come and go."""


class Attachments:
    """Follows who is attached under which number.

    Args:
        dirty: the databases being recovered.
        clean: those that need nothing.
    """

    def __init__(
        self, dirty: Sequence[DatabaseRecovery], clean: Sequence[OfflineDatabase] = ()
    ) -> None:
        self._dirty = {part.header.signature: part for part in dirty}
        self._clean = {database.header.signature: database for database in clean}
        self._claims = {part.header.dbid: part for part in dirty}
        self._owners = dict(self._claims)
        self._idle: dict[int, OfflineDatabase] = {}
        self._attached: dict[int, AttachInfo] = {}
        self._noted = {part.name: part.header.attach for part in dirty}
        self._seen: set[tuple[str, Lgpos]] = set()
        self._outdated: dict[str, Lgpos] = {}

    def begin(self, listed: Sequence[AttachInfo]) -> None:
        """Start from the list in the header of the first log.

        Raises:
            EseError: as for `note`.
        """
        for info in listed:
            self._require_own(info)
            self._attach(info)

    @property
    def owners(self) -> Mapping[int, DatabaseRecovery]:
        """The dirty databases by the numbers that stand for them now: one view, kept up to date."""
        return self._owners

    @property
    def follows_pages(self) -> bool:
        """Whether `note` must see the records of pages too, and not only those of attachments."""
        return bool(self._idle)

    def note(self, record: object, lgpos: Lgpos) -> None:
        """Take a record into account.

        Raises:
            EseError: -531, -551 or -1216: the record names a database, but not as it is.
        """
        if isinstance(record, AttachDb):
            self._note_attach(record, lgpos)
        elif isinstance(record, DetachDb):
            self._attached.pop(record.dbid, None)
        elif self._idle and isinstance(record, PAGE_RECORDS):
            database = self._idle.get(record.dbid)
            if database is not None and lgpos >= database.header.consistent:
                self._outdated.setdefault(database.name, lgpos)

    def require_complete(self, first: int, *, ignore_missing: bool) -> list[Event]:
        """Apply R10 at the end of the log, and R12; return the events of what is left out.

        Args:
            first: the generation that was replayed first.
            ignore_missing: whether databases that are not there may stay away (/i).

        Raises:
            EseError: -1216 or -551.
        """
        for name, attach in self._noted.items():
            if attach.generation >= first and (name, attach) not in self._seen:
                where = f"{name}: attached at {attach}, where the log has no such record"
                raise ese_error(-551, where, HINT_ALL_OF_ONE_POINT)
        missing = sorted(info.path for info in self._attached.values() if self._is_stranger(info))
        left_out = [*missing, *sorted(self._outdated)]
        if left_out and not ignore_missing:
            raise self._mismatch(missing)
        return [event(495, path) for path in left_out]

    def at_end(self) -> tuple[AttachInfo, ...]:
        """Return what is attached where the log ends, by number."""
        return tuple(self._attached[dbid] for dbid in sorted(self._attached))

    def _mismatch(self, missing: list[str]) -> EseError:
        if missing:
            where = f"{', '.join(missing)}: attached in these logs, and not given"
            return ese_error(-1216, where, HINT_LEAVE_OUT)
        name, lgpos = next(iter(sorted(self._outdated.items())))
        where = f"{name}: it is clean, but the log changes it at {lgpos}: an older copy"
        return ese_error(-1216, where, "put the newest copy of it in its place")

    def _note_attach(self, record: AttachDb, lgpos: Lgpos) -> None:
        info = AttachInfo(
            dbid=record.dbid,
            path=record.path,
            dbtime=0,
            objid_last=0,
            pages_max=record.pages_max,
            lgpos_attach=lgpos,
            lgpos_consistent=record.lgpos_consistent,
            signature=record.signature,
        )
        self._require_own(info)
        self._attach(info)

    def _attach(self, info: AttachInfo) -> None:
        self._attached[info.dbid] = info
        part = self._dirty.get(info.signature)
        if part is None:
            self._owners.pop(info.dbid, None)
        else:
            self._owners[info.dbid] = part
            self._seen.add((part.name, info.lgpos_attach))
        clean = self._clean.get(info.signature)
        if clean is None:
            self._idle.pop(info.dbid, None)
        else:
            self._idle[info.dbid] = clean

    def _is_stranger(self, info: AttachInfo) -> bool:
        return info.signature not in self._dirty and info.signature not in self._clean

    def _require_own(self, info: AttachInfo) -> None:
        """Compare an attach record with the database of its name, number or signature."""
        lgpos = info.lgpos_attach
        part = self._dirty.get(info.signature)
        if part is None:
            self._require_no_impostor(info)
        elif lgpos >= part.header.attach and info.lgpos_consistent != part.header.consistent:
            where = f"{part.name}: consistent at {part.header.consistent}, but the record at"
            where += f" {lgpos} attached it at {info.lgpos_consistent}"
            raise ese_error(-551, where, HINT_ALL_OF_ONE_POINT)

    def _require_no_impostor(self, info: AttachInfo) -> None:
        """Tell a database under the right name from one that was put in another's place.

        An attach that is older than the database's own tells of one that was there before: a file
        may be made anew, by defragmentation say, while it is detached.
        """
        claims = [part for part in self._claims.values() if info.lgpos_attach >= part.header.attach]
        wrong = next((part for part in claims if _same_file(info.path, part.name)), None)
        claimed = next((part for part in claims if part.header.dbid == info.dbid), None)
        if wrong is None and claimed is None:
            return
        part = wrong or claimed
        assert part is not None, "one of both is there"
        where = f"{part.name}: the record at {info.lgpos_attach} attached another database,"
        where += f" {info.path}"
        if wrong is not None:
            raise ese_error(-531, where, HINT_ALL_OF_ONE_POINT)
        raise ese_error(-1216, where, "recover the database that these logs belong to")


def _same_file(path: str, name: str) -> bool:
    return _file_name(path) == _file_name(name)


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].lower()
