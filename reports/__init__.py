"""What was learned: the result model, the statistics of RPO(t), and the renderings.

`reports.terminal` and `reports.progress` import rich and are imported by who needs them.
"""

from reports.copies import (
    Bookmark,
    CatchUp,
    CopyResult,
    Coverage,
    CoverageGap,
    Exceedance,
    KeptHistory,
    PhaseFigures,
    StageLoss,
)
from reports.curve import Curve, Stretch
from reports.documents import (
    ResultError,
    document_from_json,
    load_document,
    load_result,
    result_from_json,
    result_schema,
    study_schema,
)
from reports.durations import clock_text, count_text, duration_text, size_text
from reports.health import CopyHealthFigures, HealthNote, RaisedAlarm
from reports.model import (
    Assumption,
    Digests,
    FaultResult,
    Notice,
    ProtectionResult,
    Result,
    ScenarioReference,
    unfired,
)
from reports.records import Amount, Loss, Record, RpoStatistics, seconds
from reports.recoveries import Finding, GroupRecovery, LostMessage, Point, Recovery, RtoStep
from reports.study import Cell, Study
from reports.verdicts import ThresholdResult, Verdict, worst_verdict

__all__ = [
    "Amount",
    "Assumption",
    "Bookmark",
    "CatchUp",
    "Cell",
    "CopyHealthFigures",
    "CopyResult",
    "Coverage",
    "CoverageGap",
    "Curve",
    "Digests",
    "Exceedance",
    "FaultResult",
    "Finding",
    "GroupRecovery",
    "HealthNote",
    "KeptHistory",
    "Loss",
    "LostMessage",
    "Notice",
    "PhaseFigures",
    "Point",
    "ProtectionResult",
    "RaisedAlarm",
    "Record",
    "Recovery",
    "Result",
    "ResultError",
    "RpoStatistics",
    "RtoStep",
    "ScenarioReference",
    "StageLoss",
    "Stretch",
    "Study",
    "ThresholdResult",
    "Verdict",
    "clock_text",
    "count_text",
    "document_from_json",
    "duration_text",
    "load_document",
    "load_result",
    "result_from_json",
    "result_schema",
    "seconds",
    "size_text",
    "study_schema",
    "unfired",
    "worst_verdict",
]
