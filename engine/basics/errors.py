# ruff: noqa: N818 - the names say what was found, as an operator reads them in a notice
"""Every refusal of the engine: small named errors, each with a hint for the operator.

Three families. `LocalProtocolError`: our own driver misused a state machine. `RemoteProtocolError`:
the other end of a connection broke the protocol. The rest are findings about stored data or about
what was asked for. An error carries `message` (what and where) and `hint` (what can be done).
"""

from typing import ClassVar

_HALTED_HINT = (
    "The source has halted. Keep the journal, it is recoverable up to the record before this one; "
    "report this with the engine's notices, and start a resync."
)


class EngineError(Exception):
    """The engine refuses or cannot go on."""

    hint_default: ClassVar[str] = "Report this with the journal and the engine's notices."

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint or self.hint_default
        super().__init__(message, self.hint)

    def __str__(self) -> str:
        return f"{self.message}. Hint: {self.hint}"


# --- our own side -----------------------------------------------------------------------------


class LocalProtocolError(EngineError):
    """The driver gave an event that is impossible in this state."""

    hint_default = "This is a defect of the driver that carries out the engine's actions."


class FileUnknown(LocalProtocolError):
    """A change names a file that the capture has never seen created."""

    hint_default = (
        "Attach the capture before the first file is created, or take an initial copy first."
    )


class FileAlreadyExists(LocalProtocolError):
    """A create or rename would give two files the same name."""

    hint_default = "The file system refuses this too: show the capture completed changes only."


class PayloadTooLarge(LocalProtocolError):
    """One change carries more bytes than a record can."""

    hint_default = "Split the write; file systems never issue one of this size."


# --- the other side ---------------------------------------------------------------------------


class RemoteProtocolError(EngineError):
    """The peer broke the protocol; the connection is closed and nothing of it was believed."""

    hint_default = "Check that both ends run the same release; the session reconnects by itself."


class FrameDamaged(RemoteProtocolError):
    """A frame's checksum does not match its bytes."""

    hint_default = "The stream was corrupted in transit; the session reconnects and sends again."


class FrameTooLarge(RemoteProtocolError):
    """A frame announces more bytes than the agreed limit."""

    hint_default = "Set the same frame_bytes_max at both ends."


class FrameUnexpected(RemoteProtocolError):
    """A frame arrived that this state does not allow."""


class VersionUnsupported(RemoteProtocolError):
    """The peer speaks another version of the protocol or of the record format."""

    hint_default = "Upgrade the older end."


class RecordDamaged(RemoteProtocolError):
    """A record's fields or checksums contradict each other."""

    hint_default = "The journal did not take it; the source sends it again after reconnecting."


class WrongGroup(RemoteProtocolError):
    """The peer protects another consistency group."""

    hint_default = "Point this source at the target of its own consistency group."


class EpochFenced(RemoteProtocolError):
    """The peer writes in an epoch that has been superseded (protection.md 3.7)."""

    hint_default = "This source was failed over: keep it from writing and fail back by resync."


class SequenceGap(RemoteProtocolError):
    """A record is missing between the last received one and this one."""

    hint_default = "Nothing was stored past the gap; the source sends again after reconnecting."


class SequenceReplayed(RemoteProtocolError):
    """A record arrived twice on one connection."""


class ChainMismatch(RemoteProtocolError):
    """Both ends hold different histories up to the same sequence."""

    hint_default = "The histories diverged: keep both, choose one, and resync the other."


class TimeRegressed(RemoteProtocolError):
    """A record's source time lies before its predecessor's."""

    hint_default = _HALTED_HINT


class HistoryContradictory(RemoteProtocolError):
    """A record does not fit the files as its predecessors left them."""

    hint_default = _HALTED_HINT


class CursorNeverSent(RemoteProtocolError):
    """The target acknowledges a record that the source never sent."""

    hint_default = "The target's journal belongs to another source: check both ends' settings."


class CursorRegressed(RemoteProtocolError):
    """The target acknowledges less than it did before (invariant I1)."""


class PeerTimedOut(RemoteProtocolError):
    """The peer was silent for longer than the time-out."""

    hint_default = "Check the link, and that the other end runs; the session reconnects by itself."


class ResyncRequired(EngineError):
    """The two ends can never be joined again without comparing the data."""

    hint_default = "Keep the old journal, it is still recoverable, and start a resync."


class JournalRegressed(ResyncRequired):
    """The journal has lost records that it had acknowledged as durable."""

    hint_default = (
        "The target's disk lost acknowledged data: repair the journal from another copy, or keep "
        "it for its older points and start a resync."
    )


# --- stored data ------------------------------------------------------------------------------


class JournalDamaged(EngineError):
    """Stored bytes contradict their checksums where no torn write can explain it."""

    hint_default = "Do not cut the file: repair this segment from another copy of the journal."

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        file: str = "",
        offset: int = 0,
        sequence: int = 0,
    ) -> None:
        self.file = file
        self.offset = offset
        self.sequence = sequence
        where = f" (file {file!r}, offset {offset}, sequence {sequence})"
        super().__init__(message + where, hint)


class SegmentMissing(JournalDamaged):
    """A segment between two others, or the first one, is not there."""

    hint_default = "Restore the missing segment file from another copy of the journal."


class SegmentForeign(JournalDamaged):
    """A segment belongs to another consistency group, epoch or capture."""

    hint_default = "Move the foreign file away; check which journal it belongs to."


class SegmentMisplaced(JournalDamaged):
    """A segment's name and its header disagree, as after two files were swapped."""

    hint_default = "Give the file the name its header calls for, after checking its neighbour."


class SpoolDamaged(EngineError):
    """The source's spool does not give back what was written into it."""

    hint_default = "Check the disk of the spool; start a resync, what lay in the spool is lost."


class CertificateMismatch(JournalDamaged):
    """The files at a point are not what the point's certificate says."""

    hint_default = (
        "Nothing was published or deleted: verify this journal, and repair it from another copy."
    )


class IndexDamaged(JournalDamaged):
    """An index file is gone, or is not what its segment's records say."""

    hint_default = "Nothing is lost: open the journal, it builds the index again from its segment."


class ManifestDamaged(JournalDamaged):
    """The manifest is gone or unreadable, or names other files than there are."""

    hint_default = (
        "The segments may all be there: check and list them anew with rebuild_manifest, or copy "
        "the manifest and the files that it names from another copy of the journal."
    )


class StorageFailed(EngineError):
    """The journal's storage could not carry out an action; nothing after it is promised."""

    hint_default = "Check space and health of the journal's disk, then open the journal again."


# --- what was asked for -----------------------------------------------------------------------


class PointRefused(EngineError):
    """The wanted recovery point cannot be had; `earlier` and `later` are the nearest ones."""

    hint_default = "Choose one of the nearest points."

    def __init__(
        self, message: str, hint: str = "", *, earlier: object = None, later: object = None
    ) -> None:
        self.earlier = earlier
        self.later = later
        offers = [
            f"nearest {side}: {point}"
            for side, point in (("earlier", earlier), ("later", later))
            if point is not None
        ]
        super().__init__(message + (f" ({'; '.join(offers)})" if offers else ""), hint)


class ImageFileMissing(EngineError):
    """The image at this point has no file of this name."""

    hint_default = "List names() of the image; the file may have been created or renamed later."


class PromotionRefused(EngineError):
    """This copy cannot become the primary now; it stays on standby and goes on replicating."""


class AuthorityUnreachable(PromotionRefused):
    """The one authority that issues epochs does not answer: without it nobody is promoted."""

    hint_default = (
        "Bring the authority back, or reach it over another line, and promote again. Never promote "
        "by hand around it: two primaries would write two histories."
    )


class AuthorityDamaged(PromotionRefused):
    """What the authority keeps is no register of this group."""

    hint_default = "Check that the copies ask the authority of their own group, and its storage."


class EpochTaken(PromotionRefused):
    """Another copy was faster: the authority has given the epoch to it."""

    hint_default = "Look at the other copy before anything else: it is the primary now."


class CopyOutdated(PromotionRefused):
    """A higher epoch than this copy's was issued: another branch may hold newer data."""

    hint_default = (
        "Promote the copy that holds the newest epoch; if it is lost for good, force this one."
    )


class CopyInGap(PromotionRefused):
    """Order is lost at the end of this copy: its newest state is none that ever was."""

    hint_default = (
        "Wait for the end of the gap or the resync, or promote at the last point before it, by its "
        "sequence."
    )


class LeaseMissing(PromotionRefused):
    """This copy does not hold the lease that lets it be promoted automatically."""

    hint_default = "Let the operator decide: another copy may be newer, or the witness was away."


class WitnessDisagrees(PromotionRefused):
    """The authority does not think that the source is gone, or cannot tell."""

    hint_default = "Check the line to the source; if the source is really gone, promote by hand."


class DrainTimedOut(PromotionRefused):
    """The last records of a planned switch did not arrive in time; the source goes on writing."""

    hint_default = "Check the link and the backlog, and switch over when it is small."


class CopyTooOld(EngineError):
    """What a copy lacks is in the source's pool no more: its session cannot bring it."""

    hint_default = "Re-seed the copy from a sister, or resync it."


class NoSister(EngineError):
    """No other copy holds what is damaged or missing here."""

    hint_default = "Try another copy; if none has it, re-seed this one and keep the old files."


class OrphanUnsaved(EngineError):
    """The old primary wrote more than its branch holds: a failback would overwrite it for good."""

    hint_default = (
        "Bring the rest with an orphan session first; after a stop without warning, compare the "
        "files with the old branch by a resync in the old epoch."
    )


class OverlayFull(EngineError):
    """A virtual image was written to more than its overlay may hold."""

    hint_default = "Drop the virtual image, or make it again with a larger bytes_max."
