"""The budget of a run: what is raised when it takes too many kernel events."""

__all__ = ["StepBudgetExceeded"]


class StepBudgetExceeded(RuntimeError):  # noqa: N818 - named for what happened
    """A run took more kernel events than it was allowed."""

    def __init__(self, steps: int, now_ns: int, busiest: list[tuple[str, int]]) -> None:
        names = ", ".join(f"{name} ({count})" for name, count in busiest)
        super().__init__(
            f"The run used its budget of {steps} kernel events at {now_ns} ns of simulated time. "
            f"Busiest at the end: {names}. "
            f"Hint: a process that loops without letting time pass is the usual cause; "
            f"raise steps_max if the scenario is simply long."
        )
        self.steps = steps
        self.now_ns = now_ns
        self.busiest = busiest
