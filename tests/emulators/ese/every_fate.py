"""Every power cut of a run of mail: each write that was not flushed is kept, torn or lost."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, islice, product
from math import prod
from random import Random
from typing import NamedTuple

from checker import check_database
from group_world import recover_only
from mail_world import EPOCH_NS, S
from power_cuts import Replayed, unflushed_writes

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.recovery.hard_recovery import hard_recover
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.restore import restore_backup
from emulators.exchange import isinteg
from emulators.exchange.store import Store
from sim.volume import Fate, Torn

SECTORS_ALL_MAX = 16
RESTORED_NS = EPOCH_NS + 7200 * S
ALL_TESTS = isinteg.tests_named(["alltests"])


@dataclass
class Proof:
    """How many power cuts were made, what came of them, and each file that recovery left."""

    counts: Counter = field(default_factory=Counter)
    files: dict = field(default_factory=dict)

    def __str__(self):
        told = [f"{count} {what}" for what, count in self.counts.items()]
        return ", ".join([*told, f"{len(self.files)} different files recovered"])

    def cut_after(self, world, done, *, cuts_max):
        """Cut the power after so many operations, with the fates of what was not flushed."""
        operations = world.operations[:done]
        page_bytes = world.parameters.file_format.page_bytes
        writes = unflushed_writes(operations)
        fates = [fates_of(name, sectors, page_bytes) for name, _, sectors in writes]
        keys = [(name, ordinal) for name, ordinal, _ in writes]
        self.counts["instants"] += 1
        self.counts["instants with every choice"] += prod(map(len, fates)) <= cuts_max
        played_forward = set()
        for chosen in choices_of(fates, cuts_max, Random(done)):
            fate = dict(zip(keys, chosen, strict=True))
            files, torn_page = Replayed(operations).cut(
                lambda write, fate=fate: fate[write.file, write.ordinal], page_bytes
            )
            if self.judge(world, files, done, torn_page=torn_page, fate=fate):
                continue
            logs = tuple(fate[key] for key in keys if not key[0].endswith(".edb"))
            if logs not in played_forward:
                played_forward.add(logs)
                self.play_forward(world, files, done, fate=fate)

    def judge(self, world, files, done, *, torn_page, fate):
        """Recover, and hold what is there against all that must be true of it.

        Returns whether soft recovery could end: no log brings a torn page back.
        """
        self.counts["power cuts"] += 1
        try:
            recover_only(files, world.names, file_format=world.parameters.file_format)
        except EseError as error:
            if error.code != -1018 or not torn_page:
                raise AssertionError(f"after {done} operations, {fate}") from error
            self.counts["refused for a torn page"] += 1
            return False
        self.compare(world, files, done, names=world.names, fate=fate)
        return True

    def play_forward(self, world, files, done, *, fate):
        """Do what the refusal of a torn page advises: restore, and go on with the logs on disk.

        A backup holds the databases that were mounted; only these come back with it.
        """
        backup = world.backup_at(done)
        if backup is None:
            self.counts["without a backup to go on from"] += 1
            return
        self.counts["restored and played forward"] += 1
        folder = MemoryFiles()
        restore_backup([backup], folder, files, now_ns=RESTORED_NS)
        try:
            hard_recover(files, folder, now_ns=RESTORED_NS + S)
        except EseError as error:
            raise AssertionError(f"restored after {done} operations, {fate}") from error
        restored = [database.name for database in backup.databases]
        self.compare(world, files, done, names=restored, fate=fate)

    def compare(self, world, files, done, *, names, fate):
        """Hold recovered databases against the ledger and all checkers."""
        for name in names:
            seen = self.seen(world, files, name)
            ledger = world.offices[name].ledger(done)
            problems = seen.problems + ledger.compare_mail(seen.messages, seen.folder_counts)
            assert problems == [], f"{name} after {done} operations, {fate}: {problems}"

    def seen(self, world, files, name):
        """Return what is in a recovered file; one with the same bytes is not read again."""
        image = files.read(name, 0, files.size(name))
        key = sha256(image).digest()
        if key not in self.files:
            self.files[key] = Seen.of(files, name, world.parameters.file_format)
        return self.files[key]


class Seen(NamedTuple):
    """What the structural checker and isinteg say of a file, and the mail in it."""

    problems: list
    messages: list
    folder_counts: dict

    @classmethod
    def of(cls, files, name, file_format):
        problems = check_database(files, name, file_format).problems
        results = isinteg.check(files, name, ALL_TESTS)
        problems += [line for result in results for line in result.lines]
        store = Store(open_database(files, name, file_format))
        return cls(problems, list(store.messages()), store.folder_counts())


def fates_of(name, sectors, page_bytes):
    """Return the fates of one write: kept, lost, and torn at the sectors that can differ.

    Records of the log are torn at every sector, a blank log at three. Pages are torn between
    each other, and the first one within: its checksum is wrong at whichever of its sectors.
    """
    if name.endswith(".edb"):
        step = page_bytes // 512
        torn = {1, *range(step, sectors, step)}
    elif sectors <= SECTORS_ALL_MAX:
        torn = {*range(1, sectors)}
    else:
        torn = {1, sectors // 2, sectors - 1}
    return [Fate.KEPT, Fate.LOST, *(Torn(at) for at in sorted(torn) if 0 < at < sectors)]


def choices_of(fates, choices_max, random):
    """Return all combinations, or so many of them: the plain ones, then some that are drawn."""
    if prod(map(len, fates)) <= choices_max:
        return product(*fates)
    kept, lost = [Fate.KEPT] * len(fates), [Fate.LOST] * len(fates)
    one_differs = (
        (*plain[:at], fate, *plain[at + 1 :])
        for at in random.sample(range(len(fates)), len(fates))
        for plain in (kept, lost)
        for fate in random.sample(fates[at], min(2, len(fates[at])))
    )
    drawn = (tuple(map(random.choice, fates)) for _ in range(choices_max))
    plain_max = max(choices_max // 2, 2)
    return islice(
        chain([tuple(kept), tuple(lost)], islice(one_differs, plain_max - 2), drawn), choices_max
    )
