"""What was learned: the result model, the statistics of RPO(t), and the renderings.

`reports.terminal` and `reports.progress` import rich and are imported by who needs them.
"""

from reports.curve import Curve, Stretch
from reports.durations import clock_text, count_text, duration_text, size_text
from reports.model import (
    Amount,
    Assumption,
    Digests,
    FaultResult,
    GroupRecovery,
    Loss,
    LostMessage,
    Notice,
    Point,
    ProtectionResult,
    Recovery,
    Result,
    ResultError,
    RpoStatistics,
    RtoStep,
    ScenarioReference,
    ThresholdResult,
    Verdict,
    load_result,
    result_from_json,
    result_schema,
    seconds,
)

__all__ = [
    "Amount",
    "Assumption",
    "Curve",
    "Digests",
    "FaultResult",
    "GroupRecovery",
    "Loss",
    "LostMessage",
    "Notice",
    "Point",
    "ProtectionResult",
    "Recovery",
    "Result",
    "ResultError",
    "RpoStatistics",
    "RtoStep",
    "ScenarioReference",
    "Stretch",
    "ThresholdResult",
    "Verdict",
    "clock_text",
    "count_text",
    "duration_text",
    "load_result",
    "result_from_json",
    "result_schema",
    "seconds",
    "size_text",
]
