"""Hard recovery cut after every one of its operations, or at a full disk, and begun again."""

from functools import cache

import pytest
from backup_world import RESTORED_NS, BackupWorld, mail_in, recover_hard, restored
from checker import check_recovered
from cut_files import CutError, CutFiles, FullFiles
from mail_world import DATABASE, MAILBOXES, S, copy_of
from workloads import SHALLOW

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.restore_env import RecoverStatus
from emulators.ese.recovery.hard_recovery import hard_recover, read_restore_env

LATER_NS = RESTORED_NS + 100 * S


class TwoFolders:
    """Target and restore folder as parts of one set of files, so that one count cuts both."""

    PREFIX = "restore:"

    def __init__(self, files, *, is_folder):
        self._files = files
        self._prefix = self.PREFIX if is_folder else ""
        self._is_folder = is_folder

    def names(self):
        mine = [n for n in self._files.names() if n.startswith(self.PREFIX) == self._is_folder]
        return [name.removeprefix(self._prefix) for name in mine]

    def rename(self, old, new):
        self._files.rename(self._prefix + old, self._prefix + new)

    def __getattr__(self, operation):
        def call(name, *arguments):
            return getattr(self._files, operation)(self._prefix + name, *arguments)

        return call


def joined(target, folder):
    files = copy_of(target)
    for name in folder.names():
        files.create(TwoFolders.PREFIX + name)
        files.write(TwoFolders.PREFIX + name, 0, folder.read(name, 0, folder.size(name)))
    return files


def run(files, now_ns=RESTORED_NS, **switches):
    target = TwoFolders(files, is_folder=False)
    return hard_recover(target, TwoFolders(files, is_folder=True), now_ns=now_ns, **switches)


def run_whole(files):
    report = run(files)
    check_recovered(parted(files)[0], [DATABASE])
    return report


def parted(files):
    """Return target and restore folder as sets of their own."""
    parts = []
    for is_folder in (False, True):
        view = TwoFolders(files, is_folder=is_folder)
        parts.append(
            MemoryFiles({name: view.read(name, 0, view.size(name)) for name in view.names()})
        )
    return parts


@cache
def case():
    """A restored backup whose logs end within a transaction, and the mail that must come back."""
    world = BackupWorld(parameters=SHALLOW, mailboxes=MAILBOXES[:1])
    world.spawn(world.drip(25, 1100, every_ms=3))
    world.run(0.3)
    outcome = world.begin_backup(throughput_bytes_s=3 << 20)
    world.run(0.1)
    world.send(1_020_000)
    world.run(5)
    world.send(2_500_000)
    world.run(2)
    backup = outcome.backup
    target, folder = restored([backup], world.files())
    undoes = []
    for generation in sorted(world_archives(target), reverse=True):
        target.delete(generation)
        files = joined(target, folder)
        if run_whole(files).undone:
            undoes.append((copy_of(target), folder))
    assert undoes, "no end of the logs lies within a transaction"
    target, folder = undoes[0]
    files = joined(target, folder)
    report = run_whole(files)
    return joined(target, folder), mail_in(parted(files)[0]), report


def world_archives(files):
    if files.exists("E00.log"):
        files.delete("E00.log")
    return [name for name in files.names() if name.startswith("E000")]


EVERY = [False, pytest.param(True, marks=pytest.mark.nightly)]


def instants(*, every):
    """Return after how many operations to cut: after all, or every other of the first and last."""
    count = CutFiles(copy_of(case()[0]), 10_000, loses=False)
    run(count)
    total = count.done
    edges = {*range(1, 9, 2), *range(total - 9, total, 2)}
    return [cut for cut in range(total) if every or cut in edges or cut % 180 == 0]


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("loses", [False, True])
def test_it_may_be_cut_after_any_operation_and_begun_again(loses, every, figure):
    image, mail, whole = case()
    assert whole.undone > 0
    statuses = set()
    chosen = instants(every=every)
    for left in chosen:
        cut = CutFiles(copy_of(image), left, loses=loses)
        with pytest.raises(CutError):
            run(cut)
        target, folder = parted(cut.durable)
        statuses.add(read_restore_env(folder).status)
        recover_hard(target, folder)
        assert mail_in(target) == mail, f"cut after {left} operations"
        assert folder.names() == []
    assert statuses == set(RecoverStatus)
    figure(f"{len(chosen)} cuts")


@pytest.mark.parametrize("every", EVERY)
def test_a_full_disk_is_a_cut_and_is_told(every, figure):
    image, mail, _ = case()
    fulls, codes = 0, []
    while True:
        files = copy_of(image)
        try:
            run(FullFiles(files, fulls))
        except EseError as error:
            codes.append(error.code)
            fulls += 1 if every else 60
        else:
            break
        target, folder = parted(files)
        recover_hard(target, folder)
        assert mail_in(target) == mail
    whole, _ = parted(files)
    check_recovered(whole, [DATABASE])
    assert mail_in(whole) == mail
    figure(f"{len(codes)} times full")
    assert set(codes) == {-1808, -529}
    assert fulls > 20


def cut_while_databases_change():
    """Return target and restore folder of a run that was cut when it wrote the databases."""
    image, _, _ = case()
    whole = CutFiles(copy_of(image), 10_000, loses=False)
    run(whole)
    for left in range(whole.done - 15, 0, -1):
        cut = CutFiles(copy_of(image), left, loses=False)
        with pytest.raises(CutError):
            run(cut)
        target, folder = parted(cut.durable)
        if read_restore_env(folder).status is RecoverStatus.STARTED:
            return target, folder
    raise AssertionError("no cut falls among the writes to the databases")


def test_a_run_that_was_cut_while_databases_changed_goes_on_whatever_logs_there_are():
    _, mail, _ = case()
    target, folder = cut_while_databases_change()
    for name in (*folder.names(), *target.names()):
        files = folder if folder.exists(name) else target
        if name.endswith(".log"):
            files.delete(name)
    report = recover_hard(target, folder, now_ns=LATER_NS, play_forward=False)
    assert report.generations == ()
    assert report.pages_written > 0
    assert mail_in(target) == mail


def test_a_database_that_is_recovered_already_is_left_alone_when_the_rest_goes_on():
    image, mail, _ = case()
    cut = CutFiles(copy_of(image), 10_000, loses=False)
    run(cut)
    total = cut.done
    for left in range(total - 14, total, 2):
        cut = CutFiles(copy_of(image), left, loses=False)
        with pytest.raises(CutError):
            run(cut)
        target, folder = parted(cut.durable)
        is_done = header_is_clean(target)
        before = copy_of(target)._files
        recover_hard(target, folder, now_ns=LATER_NS)
        assert mail_in(target) == mail
        if is_done:
            assert target._files == before


def header_is_clean(files):
    return DatabaseHeader.unpack(files.read(DATABASE, 0, 8192)).is_clean


def test_a_damaged_file_of_pages_is_refused():
    target, folder = cut_while_databases_change()
    for damage in (
        lambda: folder.write("restore.pag", 9, b"x"),
        lambda: folder.delete("restore.pag"),
    ):
        damage()
        with pytest.raises(EseError) as caught:
            hard_recover(target, folder, now_ns=LATER_NS)
        assert caught.value.code in (-1003, -1811)


def test_a_run_that_was_cut_before_databases_changed_may_go_on_with_other_logs():
    image, mail, _ = case()
    cut = CutFiles(copy_of(image), 8, loses=False)
    with pytest.raises(CutError):
        run(cut)
    target, folder = parted(cut.durable)
    assert read_restore_env(folder).status is RecoverStatus.NOT_STARTED
    assert folder.exists("E00.log") or folder.exists("E00tmp.log")
    alone = copy_of(target)
    recover_hard(alone, copy_of(folder), now_ns=LATER_NS, play_forward=False)
    assert mail_in(alone).items() <= mail.items()
    recover_hard(target, folder, now_ns=LATER_NS)
    assert mail_in(target) == mail
