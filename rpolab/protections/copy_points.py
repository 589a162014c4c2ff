"""What one copy can give: its points, and the files of each."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.format import archive_name
from engine import Image, Journal, RecoveryPoints
from engine.basics.errors import EngineError, PointRefused
from engine.contract.actions import DurableAdvanced
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import ImageFiles, PointClass, PointUnavailable, ProtectedPoint
from rpolab.protections.images import WhichLog, chosen_generation, materialise, remove_log


class CopyPoints(ABC):
    """The points of one copy.

    Args:
        name: what the trace calls it.
        laboratory: the world.
    """

    def __init__(self, name: str, laboratory: Laboratory) -> None:
        self.name = name
        self._laboratory = laboratory
        #: (instant, source time) of each advance of what is durable, per class.
        self.durable: dict[PointClass, list[tuple[int, int]]] = {"any": [], "app": []}
        #: (storage group, generation) of the logs that faults have destroyed in the copy.
        self.lost_logs: list[tuple[str, int]] = []
        #: (sequence from which on it is a point, the point) of each bookmark, oldest first.
        self._tags: list[tuple[int, ProtectedPoint]] = []
        self._tags_durable = 0

    @property
    @abstractmethod
    def journal(self) -> Journal:
        """The copy's journal; raises PointUnavailable while there is none."""

    # --- what happens -------------------------------------------------------------------------

    def tag_made(self, sequence: int, point: ProtectedPoint) -> None:
        """Note a bookmark that is a point once the copy has this sequence."""
        self._tags.append((sequence, point))

    def forget_tags(self, above: int | None = None) -> None:
        """Forget the bookmarks that never left the host: all, or those above a sequence."""
        if above is None:
            del self._tags[self._tags_durable :]
        else:
            self._tags = [tag for tag in self._tags if tag[0] <= above]

    def advanced(self, notice: DurableAdvanced, newest_ns: int | None) -> None:
        """Note what has become durable; what lies in a gap is no point."""
        now_ns = self._laboratory.kernel.now_ns
        if newest_ns is not None:
            self.durable["any"].append((now_ns, min(newest_ns, notice.source_time_ns)))
        tags, sequence = self._tags, notice.cursor.sequence
        while self._tags_durable < len(tags) and tags[self._tags_durable][0] <= sequence:
            self.durable["app"].append((now_ns, tags[self._tags_durable][1].time_ns))
            self._tags_durable += 1

    # --- what is asked ------------------------------------------------------------------------

    def newest(self, consistency: PointClass) -> ProtectedPoint:
        """Return the newest durable point of a class; raises PointUnavailable."""
        journal = self.journal
        if consistency == "app":
            if not self._tags_durable:
                raise PointUnavailable(
                    f"{self.name} has no application-consistent point yet",
                    "recover to any write, or wait for the first bookmark",
                )
            return self._tags[self._tags_durable - 1][1]
        try:
            point = RecoveryPoints(journal).latest()
        except PointRefused as refusal:
            raise PointUnavailable(str(refusal), "wait for the first durable write") from refusal
        return ProtectedPoint("any", point.source_time_ns, point.sequence)

    def at_sequence(self, sequence: int) -> ProtectedPoint:
        """Return the point of any write with that number; raises PointUnavailable."""
        try:
            point = RecoveryPoints(self.journal).at_sequence(sequence)
        except PointRefused as refusal:
            raise PointUnavailable(str(refusal), "choose another point") from refusal
        return ProtectedPoint("any", point.source_time_ns, point.sequence)

    def earlier(self, point: ProtectedPoint) -> list[ProtectedPoint]:
        """Return the application-consistent points before a point, newest first."""
        try:
            kept = RecoveryPoints(self.journal).app_points()
        except PointUnavailable:
            return []
        there = {app.sequence for app in kept}
        tags = [tag for _, tag in self._tags[: self._tags_durable]]
        return [
            tag for tag in reversed(tags) if tag.sequence < point.sequence and tag.sequence in there
        ]

    def image(self, point: ProtectedPoint) -> ImageFiles:
        """Return the files of a point, less the logs that faults have destroyed in the copy."""
        try:
            made = materialise(Image(self.journal, point.sequence), self.labels())
        except EngineError as error:
            raise PointUnavailable(str(error), "choose another point") from error
        self.take_damage(made.groups)
        return made

    def labels(self) -> dict[str, list[str]]:
        """Return what the engine calls the volumes of each storage group."""
        laboratory = self._laboratory
        return {
            group.name: list(laboratory.protected_volumes(group)) for group in laboratory.groups
        }

    def take_damage(self, files: Mapping[str, MemoryFiles]) -> None:
        """Take the logs that faults have destroyed in the copy from an image's files."""
        laboratory = self._laboratory
        for name, generation in self.lost_logs:
            remove_log(files[name], laboratory.group_named(name).parameters, generation)

    def destroy_log(self, group_name: str, which: WhichLog) -> str | None:
        """Lose a log of a storage group's newest image, in all images; return its name."""
        group = self._laboratory.group_named(group_name)
        parameters = group.parameters
        try:
            files = self.image(self.newest("any")).groups[group_name]
        except PointUnavailable:
            return None
        generation = chosen_generation(files, parameters, group.database_names, which)
        if generation is None:
            return None
        self.lost_logs.append((group_name, generation))
        return archive_name(parameters.prefix, generation, parameters.file_format)
