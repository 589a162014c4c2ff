"""A capture and a journal without a session between them: for what the capture alone decides.

Records go from the one into the other by hand, reads are answered from the live files, and the
comparison of a resync is the plainest one: every block of every file, in any order.
"""

from random import Random

from engine_model import GROUP, MemoryStorage, Reference, settle

from engine import Admitted, Capture, Image, Refused, actions, events, open_journal
from engine.capture.clean_stop import STATE_FILE, open_capture
from engine.formats.standings import FileEntry
from engine.history.filetable import FileTableState

BLOCK_BYTES = 4_096


class Direct:
    """A source whose host may stop, and a journal that takes what it is given.

    Args:
        settings: Of every capture.
        epoch: Of the first capture.
        volume: The live files, if there are any before the first capture.
    """

    def __init__(self, settings, *, epoch=3, volume=None):
        self.settings = settings
        self.volume = volume or Reference()
        self.storage = MemoryStorage()
        self.journal = open_journal(self.storage, group=GROUP).journal
        self.journal.adopt(epoch, 1)
        self.epoch = epoch
        self.incarnations = 1
        self.now_ns = 1_000
        self.snapshots: dict[int, dict[str, bytes]] = {}
        self.notices = []
        self.spool = MemoryStorage()
        self.reads = []
        self.spool_syncs = []
        self.is_spool_broken = False
        self.capture = self._capture() if volume is None else self._unbased()

    def _common(self):
        return {
            "group": GROUP,
            "epoch": self.epoch,
            "incarnation": self.incarnations,
            "settings": self.settings,
            "storage": self.spool,
        }

    def _capture(self):
        return Capture(**self._common())

    def _unbased(self):
        sizes = {name: len(data) for name, data in self.volume.files.items()}
        return Capture.unbased(**self._common(), files=sizes)

    def stop_host(self):
        """Stop the source without warning: pool, spool and dirty map are gone."""
        self.incarnations += 1
        self.spool = MemoryStorage()
        self.reads.clear()
        self.spool_syncs.clear()
        self.is_spool_broken = False
        self.capture = self._unbased()

    def restart_cleanly(self):
        """Stop the host cleanly and start it again; return why there must be a resync, or ''."""
        state = self.capture.save(self.now_ns)
        self.spool.replace(STATE_FILE, state)
        self.reads.clear()
        self.spool_syncs.clear()
        return self.start_again()

    def start_again(self):
        """Start the host on whatever the last one left on its disk."""
        self.incarnations += 1
        sizes = {name: len(data) for name, data in self.volume.files.items()}
        opened = open_capture(
            self.spool,
            group=GROUP,
            epoch=self.epoch,
            incarnation=self.incarnations,
            files=sizes,
            settings=self.settings,
        )
        for action in opened.actions:
            self.spool.carry_out(action)
        self.capture = opened.begin()
        self.carry_out()
        return opened.resync_reason

    # --- the source ---------------------------------------------------------------------------

    def show(self, change):
        self.now_ns += 10
        admission = self.capture.admit(change, self.now_ns)
        if not isinstance(admission, Refused):
            self.volume.apply(change)
        if isinstance(admission, Admitted):
            self.keep_snapshot(admission.sequence)
        self.carry_out()
        return admission

    def carry_out(self):
        for action in self.capture.take_actions():
            if isinstance(action, actions.Notify):
                self.note(action.notice)
            elif isinstance(action, actions.SyncFile):
                self.spool_syncs.append(action.token)
            elif isinstance(action, actions.DeleteFile):
                self.spool.delete(action.name)
            elif not self.is_spool_broken:
                self.spool.carry_out(action)

    def note(self, notice):
        self.notices.append(notice)
        if isinstance(notice, actions.GapClosed):
            self.keep_snapshot(notice.sequence)
        elif isinstance(notice, actions.HistoryRewound):
            kept = notice.sequence
            self.snapshots = {n: s for n, s in self.snapshots.items() if n <= kept}

    def keep_snapshot(self, sequence):
        files = self.volume.files
        self.snapshots[sequence] = {name: bytes(data) for name, data in files.items()}

    def write_spool(self):
        while self.spool_syncs:
            token = self.spool_syncs.pop(0)
            if self.is_spool_broken:
                self.capture.spool_failed("no space left", self.now_ns)
            else:
                self.capture.spool_written(token, self.now_ns)
            self.carry_out()

    def read(self):
        """Ask for reads, and answer all that are under way."""
        self.reads += self.capture.wants_reads(self.now_ns)
        self.carry_out()
        for action in self.reads:
            content = self.volume.files.get(action.file)
            data = None if content is None else content[action.offset :][: action.length]
            payload = None if data is None else (bytes(data),)
            self.capture.source_read(events.SourceRead(action.token, payload), self.now_ns)
            self.carry_out()
        self.reads.clear()

    # --- the way to the target ----------------------------------------------------------------

    def ship(self, count=1 << 30):
        """Give the journal up to so many records, and acknowledge what is durable."""
        capture, journal = self.capture, self.journal
        if not capture.is_based:
            return
        first = journal.received.sequence + 1
        last = min(capture.sendable_sequence, first + count - 1)
        records = [capture.entry(n).record for n in range(first, last + 1)]
        if records:
            settle(journal, self.storage, journal.ingest(b"".join(records)))
        self.now_ns += 10
        capture.acknowledge(journal.durable, self.now_ns)
        self.carry_out()

    def pump(self):
        """Write, read and ship until nothing is left to do but to compare."""
        for _ in range(500):
            self.write_spool()
            self.read()
            self.ship()
            capture = self.capture
            is_done = not capture.is_in_gap or capture.is_comparing or capture.is_resync_needed
            if is_done and capture.acknowledged == capture.newest:
                return
        raise AssertionError("it never ends")

    # --- a resync -----------------------------------------------------------------------------

    def target_files(self):
        """Return the target's table of files at its durable end."""
        image = Image(self.journal, self.journal.durable.sequence)
        files = self.journal._history.files
        entries = [FileEntry(files.id_of(name), name, image.size(name)) for name in files.names()]
        return FileTableState(tuple(sorted(entries)), files.id_newest)

    def begin_resync(self):
        if self.capture.is_based:
            self.pump()
            self.capture.begin_resync(self.now_ns)
        else:
            time_ns = self.journal.durable_time_ns or 0
            cursor = self.journal.durable
            self.capture.rebase(cursor, self.target_files(), time_ns, self.now_ns)
        self.carry_out()

    def compare(self, random: Random, between=lambda: None):
        """Compare every block, in any order; `between` is called after each."""
        while self.capture.is_resync_needed or self.capture.is_comparing:
            if self.capture.is_resync_needed:
                self.begin_resync()
            self.pump()
            blocks = [
                (entry.file, offset)
                for entry in self.capture.live_files().entries
                for offset in range(0, entry.size, BLOCK_BYTES)
            ]
            random.shuffle(blocks)
            for file, offset in blocks:
                self._compare_block(file, offset)
                between()
                if not self.capture.is_comparing:
                    break
            else:
                self.capture.close_gap_when_clean(self.now_ns)
                self.carry_out()
        self.pump()

    def _compare_block(self, file, offset):
        names = {entry.file: entry.name for entry in self.capture.live_files().entries}
        if file not in names:
            return
        live = bytes(self.volume.files[names[file]][offset : offset + BLOCK_BYTES])
        image = Image(self.journal, self.journal.durable.sequence)
        name = self.journal._history.files.name_of(file)
        known = b"" if name not in image.names() else image.read(name, offset, BLOCK_BYTES)
        if live != known:
            self.capture.mark_dirty(file, offset, BLOCK_BYTES)
