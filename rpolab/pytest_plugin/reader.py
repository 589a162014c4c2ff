"""The child that reads scenarios for the pytest plugin: a path a line in, a JSON object a line out.

What a scenario's packages print must not disturb the answers: standard output is moved away first.
"""

import json
import os
import sys
from typing import Any

from rpolab.problems import line_of, read


def main() -> None:
    """Answers until standard input ends."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin:
            answers.write(json.dumps(contents(json.loads(line))) + "\n")
            answers.flush()


def contents(name: str) -> dict[str, Any]:
    """What a scenario holds for the plugin, or what is wrong with it."""
    reading = read(name, with_archive=False)
    scenario = reading.scenario
    if scenario is None:
        return {"problems": [line_of(problem) for problem in reading.problems]}
    return {
        "problems": [],
        "markers": list(scenario.markers),
        "has_faults": bool(scenario.faults),
        "is_study": scenario.is_study,
        "cells": [variant.name or None for variant in scenario.variants],
        "thresholds": [
            {
                "metric": item.name,
                "expr": item.expression.text,
                "line": 0 if item.file else item.line,  # a parent's line is not this file's
            }
            for item in scenario.threshold_list()
        ],
    }


if __name__ == "__main__":
    main()
