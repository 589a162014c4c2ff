"""Annotations on the line of the scenario: for GitHub as workflow commands, for GitLab as a file.

Only missed thresholds, and at most ten: GitHub shows no more of one step.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from reports.cases import Case, missed_cases
from reports.model import Result
from reports.study import Study
from reports.text import printable

ANNOTATIONS_MAX = 10
Locate = Callable[[str], str]


def github_annotations(documents: Sequence[Result | Study], locate: Locate = str) -> str:
    """Workflow commands, a line each; empty when nothing was missed.

    Args:
        documents: what was found.
        locate: turns a scenario's file into its path in the checkout.
    """
    missed = missed_cases(documents)
    lines = []
    for number, case in enumerate(missed[:ANNOTATIONS_MAX], 1):
        rest = len(missed) - number if number == ANNOTATIONS_MAX else 0
        sentence = case.sentence + (f"; {rest} more were missed" if rest else "")
        file = f"file={_property(place)}," if (place := locate(case.file)) else ""
        line = case.threshold.line or 1
        lines.append(f"::error {file}line={line},title=rpolab::{_message(sentence)}\n")
    return "".join(lines)


def gitlab_annotations(documents: Sequence[Result | Study], locate: Locate = str) -> str:
    """A report in GitLab's code quality format: a JSON list, empty when nothing was missed."""
    found = [_finding(case, locate) for case in missed_cases(documents)[:ANNOTATIONS_MAX]]
    return json.dumps(found, indent=2) + "\n"


def _finding(case: Case, locate: Locate) -> dict[str, Any]:
    path = locate(case.file)
    identity = f"{path}\n{case.cell}\n{case.name}"
    return {
        "description": printable(case.sentence),
        "check_name": f"rpolab: {case.threshold.metric}",
        "fingerprint": sha256(identity.encode("utf-8", "replace")).hexdigest(),
        "severity": "major",
        "location": {"path": path, "lines": {"begin": case.threshold.line or 1}},
    }


def _message(text: str) -> str:
    """A message in which nothing ends the line or is taken for an escape."""
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
