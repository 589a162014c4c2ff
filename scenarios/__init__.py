"""What to try: the scenario language, its loader and schema, and a library of scenarios."""

from scenarios.catalogue import Listing, catalogue
from scenarios.checkers import OwnChecker
from scenarios.conditions import LIVE_QUANTITIES, Condition, LiveQuantity
from scenarios.copies import BandwidthHours, Copy, Retention
from scenarios.drills import Drills, RtoAssumptions
from scenarios.editions import EDITION_LIMITS
from scenarios.errors import Problem, ScenarioError
from scenarios.expressions import Expression, parse_expression
from scenarios.fault_times import FaultTimes
from scenarios.faults import (
    FAULT_KINDS,
    AnyFault,
    BitRot,
    DiskFull,
    DiskLoss,
    DiskSlow,
    DiskStall,
    Fault,
    InputOutputErrors,
    LinkDelayed,
    LinkFault,
    LinkLossy,
    LinkOneWay,
    LinkOutage,
    LinkSlow,
    LostLog,
    LostWrite,
    MisdirectedWrite,
    OwnFault,
    PowerCut,
    ServiceStop,
    SiteLoss,
    StaleSnapshot,
    VolumeFault,
)
from scenarios.grammar import QuantityError
from scenarios.hours import Hours
from scenarios.library_files import library_folder, library_names, library_path
from scenarios.loader import Checked, check, check_text, load, parse
from scenarios.mail import PROFILES_OF_VERSION, MailProfile, OwnWorkload, Workload
from scenarios.metrics import (
    METRICS,
    SHARE_PARTS,
    Measure,
    Metric,
    MetricName,
    Sampling,
    metric_rows,
    parse_metric_name,
)
from scenarios.model import Scenario, Source, Variant
from scenarios.moments import Moment
from scenarios.phases import Phase, Span, phase_spans
from scenarios.protections import (
    Bookmarks,
    ContinuousDataProtection,
    Failover,
    OwnProtection,
    Verify,
)
from scenarios.quantities import spell_duration
from scenarios.schema import scenario_schema, scenario_schema_text
from scenarios.thresholds import Evaluation, Threshold, Verdict, combine, evaluate
from scenarios.world import Disk, Exchange, Link, LinkHours, MailDays, Site, StorageGroup

__all__ = [
    "EDITION_LIMITS",
    "FAULT_KINDS",
    "LIVE_QUANTITIES",
    "METRICS",
    "PROFILES_OF_VERSION",
    "SHARE_PARTS",
    "AnyFault",
    "BandwidthHours",
    "BitRot",
    "Bookmarks",
    "Checked",
    "Condition",
    "ContinuousDataProtection",
    "Copy",
    "Disk",
    "DiskFull",
    "DiskLoss",
    "DiskSlow",
    "DiskStall",
    "Drills",
    "Evaluation",
    "Exchange",
    "Expression",
    "Failover",
    "Fault",
    "FaultTimes",
    "Hours",
    "InputOutputErrors",
    "Link",
    "LinkDelayed",
    "LinkFault",
    "LinkHours",
    "LinkLossy",
    "LinkOneWay",
    "LinkOutage",
    "LinkSlow",
    "Listing",
    "LiveQuantity",
    "LostLog",
    "LostWrite",
    "MailDays",
    "MailProfile",
    "Measure",
    "Metric",
    "MetricName",
    "MisdirectedWrite",
    "Moment",
    "OwnChecker",
    "OwnFault",
    "OwnProtection",
    "OwnWorkload",
    "Phase",
    "PowerCut",
    "Problem",
    "QuantityError",
    "Retention",
    "RtoAssumptions",
    "Sampling",
    "Scenario",
    "ScenarioError",
    "ServiceStop",
    "Site",
    "SiteLoss",
    "Source",
    "Span",
    "StaleSnapshot",
    "StorageGroup",
    "Threshold",
    "Variant",
    "Verdict",
    "Verify",
    "VolumeFault",
    "Workload",
    "catalogue",
    "check",
    "check_text",
    "combine",
    "evaluate",
    "library_folder",
    "library_names",
    "library_path",
    "load",
    "metric_rows",
    "parse",
    "parse_expression",
    "parse_metric_name",
    "phase_spans",
    "scenario_schema",
    "scenario_schema_text",
    "spell_duration",
]
