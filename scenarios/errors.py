"""What can be wrong with a scenario, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong (or doubtful) in a scenario file.

    `line` and `column` count from 1; both are 0 when the file itself could not be read
    or when the scenario did not come from a file. `path` is the place in the document,
    for example `links[0].bandwidth`.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = f"{self.path}: " if self.path and not self.line else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {where}{self.message}{hint}"


class ScenarioError(ValueError):
    """A scenario cannot be run as written; `problems` says everything that is wrong."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        assert problems, "a scenario is refused for a reason"
        self.problems = tuple(sorted(problems))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
