"""What to try: the scenario language, its loader and schema, and a library of scenarios."""

from scenarios.drills import Drills, RtoAssumptions
from scenarios.editions import EDITION_LIMITS
from scenarios.errors import Problem, ScenarioError
from scenarios.expressions import METRICS, Expression, Measure, parse_expression
from scenarios.faults import (
    FAULT_KINDS,
    DiskFull,
    DiskStall,
    Fault,
    LinkOutage,
    LinkSlow,
    LostLog,
    OwnFault,
    PowerCut,
    SiteLoss,
)
from scenarios.grammar import QuantityError
from scenarios.library_files import library_folder, library_names, library_path
from scenarios.loader import Checked, check, check_text, load, parse
from scenarios.mail import PROFILES_OF_VERSION, MailProfile, OwnWorkload, Workload
from scenarios.model import Scenario, Source, Variant
from scenarios.moments import Moment
from scenarios.protections import Bookmarks, ContinuousDataProtection, Copy, OwnProtection
from scenarios.quantities import spell_duration
from scenarios.schema import scenario_schema, scenario_schema_text
from scenarios.thresholds import Evaluation, Threshold, Verdict, combine, evaluate
from scenarios.world import Disk, Exchange, Link, Site, StorageGroup

__all__ = [
    "EDITION_LIMITS",
    "FAULT_KINDS",
    "METRICS",
    "PROFILES_OF_VERSION",
    "Bookmarks",
    "Checked",
    "ContinuousDataProtection",
    "Copy",
    "Disk",
    "DiskFull",
    "DiskStall",
    "Drills",
    "Evaluation",
    "Exchange",
    "Expression",
    "Fault",
    "Link",
    "LinkOutage",
    "LinkSlow",
    "LostLog",
    "MailProfile",
    "Measure",
    "Moment",
    "OwnFault",
    "OwnProtection",
    "OwnWorkload",
    "PowerCut",
    "Problem",
    "QuantityError",
    "RtoAssumptions",
    "Scenario",
    "ScenarioError",
    "Site",
    "SiteLoss",
    "Source",
    "StorageGroup",
    "Threshold",
    "Variant",
    "Verdict",
    "Workload",
    "check",
    "check_text",
    "combine",
    "evaluate",
    "library_folder",
    "library_names",
    "library_path",
    "load",
    "parse",
    "parse_expression",
    "scenario_schema",
    "scenario_schema_text",
    "spell_duration",
]
