"""The protection engine: captures every change, ships it, keeps it, and gives any moment back.

The core is sans-IO: sessions take events and the time, and return actions; a driver carries the
actions out. Nothing here knows a clock, a socket, or (outside `engine.live`) a file.

    source host                                            target host
    filter -> Capture -> SourceSession  == frames ==>  TargetSession -> Journal -> segment files
                                                       RecoveryPoints, Image <- Journal
"""

from engine import actions, errors, events
from engine.capture import Capture
from engine.changes import Admission, Admitted, Change, Refused, Waiting
from engine.cursor import Cursor
from engine.image import Image
from engine.journal import Journal
from engine.payload import Segments
from engine.points import Consistency, RecoveryPoint, RecoveryPoints
from engine.records import RecordType
from engine.recovery import OpenedJournal, TailCut, open_journal
from engine.settings import CaptureSettings, JournalSettings, SessionSettings
from engine.source import SourceSession
from engine.states import SourceState, TargetState
from engine.storage import Storage
from engine.target import TargetSession

__all__ = [
    "Admission",
    "Admitted",
    "Capture",
    "CaptureSettings",
    "Change",
    "Consistency",
    "Cursor",
    "Image",
    "Journal",
    "JournalSettings",
    "OpenedJournal",
    "RecordType",
    "RecoveryPoint",
    "RecoveryPoints",
    "Refused",
    "Segments",
    "SessionSettings",
    "SourceSession",
    "SourceState",
    "Storage",
    "TailCut",
    "TargetSession",
    "TargetState",
    "Waiting",
    "actions",
    "errors",
    "events",
    "open_journal",
]
