"""On real files from end to end: journalled, layered, compacted, mounted, hydrated, rolled back."""

from collections import deque

from engine_model import EPOCH, GROUP, INCARNATION, Reference, create, rename, truncate, write

from engine import (
    Capture,
    DiffMap,
    Hydration,
    Image,
    JournalSettings,
    LayerKeeper,
    LayerMap,
    LayerSettings,
    LayerVerifier,
    Rollback,
    VirtualImage,
    open_journal,
)
from engine.contract.events import SyncDone
from engine.contract.volumes import VolumeFlushed
from engine.live import JournalDirectory, VolumeDirectory

CHANGES = [
    create("db/MDB1.edb"),
    *[write("db/MDB1.edb", 4_096 * n, bytes([n + 1]) * 4_096) for n in range(20)],
    create("logs/E00.log"),
    *[write("logs/E00.log", 512 * n, b"log record " * 46) for n in range(20)],
    rename("logs/E00.log", "logs/E0000000001.log"),
    *[write("db/MDB1.edb", 4_096 * n, bytes([99 - n]) * 4_096, 100) for n in range(5, 12)],
    truncate("db/MDB1.edb", 70_000),
]
SETTINGS = JournalSettings(segment_bytes_max=10_000)
KEPT = 30


def settle(directory, actions, sync_done):
    queue = deque([actions])
    while queue:
        for event in directory.carry_out(queue.popleft()):
            assert isinstance(event, SyncDone), event
            queue.append(sync_done(event.token))


def journalled(directory):
    journal = open_journal(directory, group=GROUP, settings=SETTINGS).journal
    journal.adopt(EPOCH, INCARNATION)
    capture, reference, references = (
        Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION),
        Reference(),
        [{}],
    )
    for change in CHANGES:
        capture.admit(change, 0)
        record = capture.entry(capture.newest.sequence).record
        settle(directory, journal.ingest(record), journal.sync_done)
        reference.apply(change)
        references.append({name: bytes(content) for name, content in reference.files.items()})
    return references


def files_of(path):
    return {
        item.relative_to(path).as_posix(): item.read_bytes()
        for item in path.rglob("*")
        if item.is_file()
    }


def work(steps, volume, flushed):
    while actions := steps():
        for event in volume.carry_out(actions):
            assert isinstance(event, VolumeFlushed), event
            flushed(event)


def test_a_past_point_is_mounted_hydrated_and_rolled_back_on_real_files(tmp_path):
    for name in ("journal", "scratch", "volume"):
        (tmp_path / name).mkdir()
    directory = JournalDirectory(tmp_path / "journal")
    references = journalled(directory)
    opened = open_journal(directory, group=GROUP, settings=SETTINGS)
    journal, last = opened.journal, len(CHANGES)
    settle(directory, opened.actions, journal.sync_done)
    keeper = LayerKeeper(journal, LayerSettings(segments_per_delta=3, deltas_per_image=2))
    keeper.compact(0, KEPT)
    while not keeper.is_idle:
        settle(directory, keeper.step(), keeper.sync_done)
    assert keeper.failure is None
    verifier = LayerVerifier(LayerMap(journal))
    assert not verifier.step()
    assert (verifier.damage, len(verifier.verified)) == ([], len(journal.manifest.layers))

    scratch = JournalDirectory(tmp_path / "scratch")
    virtual = VirtualImage(Image(journal, last), scratch, "overlay")
    settle(scratch, virtual.begin(), journal.sync_done)
    settle(scratch, virtual.write("db/MDB1.edb", 10, (b"a test, dropped later",)), None)
    assert virtual.read("db/MDB1.edb", 10, 6) == b"a test"
    settle(scratch, virtual.drop(), None)
    assert files_of(tmp_path / "scratch") == {}

    volume = VolumeDirectory(tmp_path / "volume")
    hydration = Hydration(VirtualImage(Image(journal, last), scratch, "unused"))
    work(hydration.step, volume, lambda event: hydration.flushed(event.token))
    assert hydration.is_done
    assert files_of(tmp_path / "volume") == references[last]

    rollback = Rollback(DiffMap.between(LayerMap(journal), last, KEPT))
    work(rollback.step, volume, lambda _: rollback.flushed())
    assert rollback.is_done
    assert files_of(tmp_path / "volume") == references[KEPT]
    directory.close()
    scratch.close()
