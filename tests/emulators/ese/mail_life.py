"""The life of a mail database: much mail, deletions and moves, a crash, defragmentation.

`lives` builds the files at the end of each of these stages, one from the other, all from one run.
"""

from typing import NamedTuple

from group_world import ONE, recover
from mail_group import PATH, MailGroup
from mail_world import EPOCH_NS, MS, S, copy_of

from emulators.ese.maintenance.defragmentation import defragment
from emulators.ese.running.parameters import Parameters
from sim.volume import Fate

STAGES = ("messages", "deletions and moves", "a crash and recovery", "defragmentation")
AT_ONCE = 10


class Stage(NamedTuple):
    """The clean files after a stage, and what must be in them."""

    files: object
    ledger: object


def lives(file_format, count):
    """Return the stages of a database that was sent so many messages, by name."""
    world = MailGroup(parameters=Parameters(file_format=file_format)).create()
    office = world.offices[ONE]
    play(world, (lambda size=size: office.send(size) for size in sizes(count)))
    stages = [dismounted(world)]
    play(world, changes(office))
    stages.append(dismounted(world))
    stages.append(crashed(world, count // 10))
    files = copy_of(stages[-1].files)
    now_ns = EPOCH_NS + 24 * 3600 * S
    defragment(files, ONE, temporary="TEMP.EDB", now_ns=now_ns, file_format=file_format)
    stages.append(Stage(files, stages[-1].ledger))
    return dict(zip(STAGES, stages, strict=True))


def sizes(count):
    """Yield the sizes of the messages: most lie in their row, some apart from it."""
    for number in range(count):
        yield 30_000 if number % 500 == 0 else 5000 if number % 20 == 0 else 200


def play(world, actions):
    """Do these one after another, some at a time, and wait until all are on disk."""

    def process():
        for number, act in enumerate(actions):
            act()
            if number % AT_ONCE == 0:
                yield world.kernel.sleep(20 * MS)

    finished = world.kernel.spawn(process(), name="play", host=world.host)
    while not finished.fired:
        world.run(10)
    world.settle()


def changes(office):
    """Yield the deletion of every fifth message, for good or not, and moves of every third."""
    for number, item in enumerate(office.items):
        if number % 5 == 0:
            for _ in range(1 + number % 2):
                yield lambda item=item: delete(office, item)
            if number % 3 == 0:
                yield lambda item=item: office.mail.purge(item.place, item.mailbox, item.folder)
        elif number % 3 == 0:
            yield lambda item=item: move(office, item)


def delete(office, item):
    office.mail.delete(office.mailbox, item, EPOCH_NS + office.world.kernel.now_ns)


def move(office, item):
    office.mail.move(office.mailbox, item, PATH[item.folder])


def dismounted(world):
    """Return the files of a group whose database is dismounted, and mount it again."""
    world.do(world.group.dismount(ONE))
    office = world.offices[ONE]
    stage = Stage(world.files(), office.ledger(len(world.operations)))
    world.do(world.group.mount(ONE))
    office.open()
    return stage


def crashed(world, count):
    """Return the files of a group whose power fails while mail comes, recovered."""
    office = world.offices[ONE]

    def mail():
        for size in sizes(count):
            office.send(size)
            yield world.kernel.sleep(2 * MS)

    world.kernel.spawn(mail(), name="mail", host=world.host)
    world.run(count * 0.0019)
    ledger = office.ledger(len(world.operations))
    assert len(ledger.promised) < len(office.submitted), "all mail is on disk at the crash"
    for volume in (world.logs, world.data):
        volume.power_cut(lambda _: Fate.LOST)
    files = world.files()
    report = recover(files, [ONE], file_format=world.parameters.file_format)
    assert not report.was_clean
    return Stage(files, ledger)
