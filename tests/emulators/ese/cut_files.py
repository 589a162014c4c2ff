"""Files of which the power goes, or the room runs out, in the middle of a recovery."""

from mail_world import MAILBOXES, Disks, World, copy_of, recover
from workloads import SHALLOW

from emulators.ese.errors import ese_error


class CutError(Exception):
    """The power went during recovery."""


class CutFiles:
    """Files of which the power goes after a number of operations.

    With `loses`, writes that no flush follows are then gone, as on a volume: names and lengths
    are durable at once.
    """

    def __init__(self, files, operations_left, *, loses):
        self.seen = files
        self.durable = copy_of(files) if loses else files
        self.loses = loses
        self.left = operations_left
        self.done = 0

    def __getattr__(self, name):
        return getattr(self.seen, name)

    def _both(self, operation, *arguments):
        self._count()
        getattr(self.seen, operation)(*arguments)
        if self.loses:
            getattr(self.durable, operation)(*arguments)

    def _count(self):
        if self.done == self.left:
            raise CutError
        self.done += 1

    def create(self, name, size=0):
        self._both("create", name, size)

    def truncate(self, name, size):
        self._both("truncate", name, size)

    def rename(self, old, new):
        self._both("rename", old, new)

    def delete(self, name):
        self._both("delete", name)

    def write(self, name, offset, data):
        self._count()
        self.seen.write(name, offset, data)

    def flush(self, name):
        self._count()
        if self.loses:
            self.durable.truncate(name, 0)
            self.durable.write(name, 0, self.seen.read(name, 0, self.seen.size(name)))


class FullFiles:
    """Files on a disk that is full after a number of operations that may need room."""

    def __init__(self, files, operations_left):
        self.files = files
        self.left = operations_left
        self.done = 0

    def __getattr__(self, name):
        return getattr(self.files, name)

    def _count(self, name):
        if self.done == self.left:
            raise ese_error(-1808, name, "make room")
        self.done += 1

    def create(self, name, size=0):
        self._count(name)
        self.files.create(name, size)

    def truncate(self, name, size):
        self._count(name)
        self.files.truncate(name, size)

    def write(self, name, offset, data):
        self._count(name)
        self.files.write(name, offset, data)


def image_with_undo(*, near_the_end_of_the_log):
    """Files as a crash left them: a transaction is open, pages have been split and moved."""
    world = World(parameters=SHALLOW, mailboxes=MAILBOXES[:1])
    world.spawn(world.drip(25, 1100, every_ms=3))
    world.run(1)
    size = 1_200_000 if near_the_end_of_the_log else 1_020_000
    world.send(size)
    world.run(2)
    disks = Disks(world.operations)
    images = []
    for done in range(world.mounted_after, len(world.operations) + 1):
        disks.advance(done)
        files = disks.copy()
        report = recover(copy_of(files))
        if report.undone > 0:
            images.append((len(world.ledger(done).promised), done, files))
    _, done, files = images[0]
    return files, world.ledger(done)
