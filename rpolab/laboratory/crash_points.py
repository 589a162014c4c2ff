"""Crashes the engine after every action of a scenario, and checks what is left each time.

One run per crash point: the scenario runs with the same seed, the source's session or the copy's
whole machine stops right after its k-th action, starts again a little later, and the run goes on.
Checked against a reference that only saw the volumes:

* nothing that was acknowledged as durable before the crash is missing after it;
* the image of the reopened journal is, byte for byte, what the volumes were at that sequence;
* after a quiet period everything captured is durable, and the newest image is right as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from emulators.ese.file_set import MemoryFiles
from engine import Image, Journal, RecordType, RecoveryPoints
from engine.contract.actions import Action
from rpolab.laboratory.experiment import Experiment
from rpolab.protections.cdp import Cdp
from rpolab.protections.kept_copy import End
from scenarios import Scenario
from sim.payload import to_bytes
from sim.volume import Kind, Operation

ENDS: tuple[End, ...] = ("source", "target")

DOWN_NS = 2_000_000_000
QUIET_NS = 120_000_000_000
#: Records of changes that the volumes show; the others are the engine's own.
SEEN = frozenset(
    {
        RecordType.CREATE,
        RecordType.WRITE,
        RecordType.TRUNCATE,
        RecordType.RENAME,
        RecordType.DELETE,
        RecordType.FLUSH,
    }
)


class CrashPointFailure(AssertionError):  # noqa: N818 - a finding about the engine
    """The engine lost, or made up, something at a crash point."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The instant right after one action of one end."""

    end: End
    number: int
    action: str


class Reference:
    """What the protected volumes held after each of their changes, apart from the engine."""

    def __init__(self) -> None:
        self._operations: list[tuple[str, Operation]] = []

    def watch(self, experiment: Experiment) -> None:
        """Attach to the volumes of a run."""
        laboratory = experiment.laboratory
        for group in laboratory.groups:
            for label, volume in laboratory.protected_volumes(group).items():
                volume.attach(partial(self._note, label))

    def files_after(self, changes: int) -> MemoryFiles:
        """Return the files as they were after the first `changes` changes."""
        files = MemoryFiles()
        for label, operation in self._operations[:changes]:
            _apply(files, label, operation)
        return files

    def _note(self, label: str, operation: Operation) -> None:
        self._operations.append((label, operation))


def _apply(files: MemoryFiles, label: str, operation: Operation) -> None:
    name = f"{label}/{operation.file}"
    if operation.kind is Kind.CREATE:
        files.create(name)
    elif operation.kind is Kind.WRITE:
        files.write(name, operation.offset, to_bytes(operation.payload))
    elif operation.kind is Kind.TRUNCATE:
        files.truncate(name, operation.size)
    elif operation.kind is Kind.RENAME:
        files.rename(name, f"{label}/{operation.new_name}")
    elif operation.kind is Kind.DELETE:
        files.delete(name)


class CrashRun:
    """One run of a scenario with one crash, or none.

    Args:
        scenario: what to run; without faults and drills.
        point: where to crash; None to count the actions.
    """

    def __init__(self, scenario: Scenario, point: CrashPoint | None) -> None:
        self.point = point
        self.actions: dict[End, list[str]] = {"source": [], "target": []}
        self.has_crashed = False
        self._experiment = Experiment(scenario)
        protection = next(iter(self._experiment.protections.values()))
        assert isinstance(protection, Cdp), "it is the engine that is crashed"
        self._copy = protection.copy
        self._reference = Reference()
        self._promised = 0

    def run(self) -> None:
        """Run, crash, restart, and check.

        Raises:
            CrashPointFailure: with the crash point, the sequence and the file.
        """
        self._reference.watch(self._experiment)
        self._copy.after_action = self._after_action
        self._experiment.run()
        kernel = self._experiment.kernel
        kernel.run(kernel.now_ns + QUIET_NS)
        self._check_converged()
        kernel.close()

    def _after_action(self, end: End, action: Action) -> None:
        made = self.actions[end]
        made.append(type(action).__name__)
        if self.point is None or self.has_crashed or self.point.end != end:
            return
        if len(made) == self.point.number:
            self.has_crashed = True
            self._crash(end)

    def _crash(self, end: End) -> None:
        copy, kernel = self._copy, self._experiment.kernel
        self._promised = copy.source.capture.acknowledged.sequence
        if end == "source":
            copy.source.crash()
            kernel.call_after(DOWN_NS, self._restart_source)
        else:
            journal = copy.journal
            self._promised = max(self._promised, journal.durable.sequence)
            copy.target.host.power_cut()
            kernel.call_after(DOWN_NS, self._restart_target)

    def _restart_source(self) -> None:
        self._copy.source.start()

    def _restart_target(self) -> None:
        self._copy.target.host.power_on()
        self._check_journal(self._copy.journal, self._copy.journal.received.sequence)

    def _check_journal(self, journal: Journal, held: int) -> None:
        if held < self._promised:
            self._fail(f"the journal ends at sequence {held}, {self._promised} was promised")
        self._check_image(Image(journal, journal.durable.sequence))

    def _check_converged(self) -> None:
        journal, capture = self._copy.journal, self._copy.source.capture
        durable = journal.durable.sequence
        if durable < capture.newest.sequence - 1:
            self._fail(f"durable up to {durable} only, captured up to {capture.newest.sequence}")
        self._check_journal(journal, durable)
        for point in RecoveryPoints(journal).app_points():
            self._check_image(Image(journal, point.sequence))
        if self.point is not None and not self.has_crashed:
            self._fail("the run had fewer actions than the one that was counted")

    def _check_image(self, image: Image) -> None:
        changes = _changes_up_to(self._copy.journal, image.sequence)
        expected = self._reference.files_after(changes)
        if image.names() != expected.names():
            self._fail(f"sequence {image.sequence}: files {image.names()}")
        for name in image.names():
            size = expected.size(name)
            same = image.size(name) == size and image.read(name, 0, size) == expected.read(
                name, 0, size
            )
            if not same:
                self._fail(f"sequence {image.sequence}: {name} differs from the reference")

    def _fail(self, what: str) -> None:
        point = self.point
        where = "without a crash"
        if point is not None:
            where = f"crash of the {point.end} after action {point.number} ({point.action})"
        raise CrashPointFailure(f"{where}: {what}")


def _changes_up_to(journal: Journal, sequence: int) -> int:
    """Return how many records up to a sequence are changes of the volumes."""
    index = journal.index
    kinds = (index.row(number).kind for number in range(index.first_sequence, sequence + 1))
    return sum(kind in SEEN for kind in kinds)


def crash_points(scenario: Scenario) -> list[CrashPoint]:
    """Return every crash point of a scenario: one after each action of either end."""
    counting = CrashRun(scenario, None)
    counting.run()
    return [
        CrashPoint(end, number, action)
        for end in ENDS
        for number, action in enumerate(counting.actions[end], 1)
    ]


def sweep(scenario: Scenario, points: list[CrashPoint]) -> Iterator[CrashPoint]:
    """Crash at each of the points in turn; yield each that held.

    Raises:
        CrashPointFailure: at the first that did not.
    """
    for point in points:
        CrashRun(scenario, point).run()
        yield point
