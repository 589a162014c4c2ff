"""A fault, a checker, a workload and a protection of one's own for rpolab."""
