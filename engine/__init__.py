"""The protection engine: captures every change, ships it, keeps it, and gives any moment back.

The core is sans-IO: sessions take events and the time, and return actions; a driver carries the
actions out. Nothing here knows a clock, a socket, or (outside `engine.live`) a file.

    source host                                            target host
    filter -> Capture -> SourceSession  == frames ==>  TargetSession -> Journal -> segment files
                                                       RecoveryPoints, Image <- Journal, layers
                                                       RetentionKeeper, LayerKeeper -> layer files
    VirtualImage, Hydration, Rollback: a past point put to use
    Fanout, Reseed, Repair: several copies of one capture, made and repaired from each other
    Promotion, Witness: a copy becomes the primary, with an epoch of the one authority
"""

from engine.basics import errors
from engine.basics.cursor import Cursor
from engine.basics.payload import Segments
from engine.basics.settings import (
    BandwidthRule,
    CaptureSettings,
    DailyHours,
    FailoverSettings,
    JournalSettings,
    LayerSettings,
    ResyncSettings,
    SessionSettings,
)
from engine.capture.capture import Capture
from engine.capture.changes import Admission, Admitted, Change, Refused, Tracked, Waiting
from engine.capture.clean_stop import OpenedCapture, open_capture
from engine.capture.modes import CaptureMode
from engine.contract import actions, events, promotions, volumes
from engine.contract.storage import Storage
from engine.copies.fanout import CopyPlan, Fanout
from engine.copies.repair import Repair, RepairReport
from engine.copies.reseed import Reseed
from engine.failover.authority import Witness
from engine.failover.failback import Failback
from engine.failover.promotion import Promotion
from engine.failover.states import PromotionState
from engine.formats.records import RecordType
from engine.formats.standings import Standing
from engine.health.checks import Checker, Finding
from engine.health.copy import CopyHealth
from engine.health.report import Health
from engine.health.settings import HealthSettings
from engine.health.source import SourceHealth
from engine.health.verifier import Verifier, VerifierSettings
from engine.images.hydration import Hydration
from engine.images.image import Image
from engine.images.rollback import Rollback
from engine.images.virtual import VirtualImage
from engine.journal.journal import Journal
from engine.journal.opening import OpenedJournal, open_journal
from engine.journal.rebuilding import rebuild_manifest
from engine.journal.segment_scan import TailCut
from engine.journal.verification import JournalVerifier, verify_journal
from engine.layers.differences import DiffMap
from engine.layers.keeper import LayerKeeper
from engine.layers.plan import LayerMap
from engine.layers.verification import LayerVerifier
from engine.points.recovery_points import Consistency, RecoveryPoint, RecoveryPoints
from engine.retention.keeper import RetentionKeeper
from engine.retention.settings import RetentionPolicy, Stage
from engine.session.clock import ReportedRpo
from engine.session.outbox import SendFigures
from engine.session.source import SourceSession
from engine.session.states import SourceState, TargetState
from engine.session.target import TargetSession

__all__ = [
    "Admission",
    "Admitted",
    "BandwidthRule",
    "Capture",
    "CaptureMode",
    "CaptureSettings",
    "Change",
    "Checker",
    "Consistency",
    "CopyHealth",
    "CopyPlan",
    "Cursor",
    "DailyHours",
    "DiffMap",
    "Failback",
    "FailoverSettings",
    "Fanout",
    "Finding",
    "Health",
    "HealthSettings",
    "Hydration",
    "Image",
    "Journal",
    "JournalSettings",
    "JournalVerifier",
    "LayerKeeper",
    "LayerMap",
    "LayerSettings",
    "LayerVerifier",
    "OpenedCapture",
    "OpenedJournal",
    "Promotion",
    "PromotionState",
    "RecordType",
    "RecoveryPoint",
    "RecoveryPoints",
    "Refused",
    "Repair",
    "RepairReport",
    "ReportedRpo",
    "Reseed",
    "ResyncSettings",
    "RetentionKeeper",
    "RetentionPolicy",
    "Rollback",
    "Segments",
    "SendFigures",
    "SessionSettings",
    "SourceHealth",
    "SourceSession",
    "SourceState",
    "Stage",
    "Standing",
    "Storage",
    "TailCut",
    "TargetSession",
    "TargetState",
    "Tracked",
    "Verifier",
    "VerifierSettings",
    "VirtualImage",
    "Waiting",
    "Witness",
    "actions",
    "errors",
    "events",
    "open_capture",
    "open_journal",
    "promotions",
    "rebuild_manifest",
    "verify_journal",
    "volumes",
]
