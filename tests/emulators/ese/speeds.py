"""Speeds beside those that the prototype of ese-format.md reached ('Speed reached')."""

LOG_FRAMING_PER_S = (28_000, 45_000)
RUN_TIME_PATH_PER_S = (22_000, 27_000)
"""Transactions a second, one core; the lowest and the highest that were measured."""


def best_per_s(benchmark, amount):
    """Return how much of `amount` the best round did in a second."""
    return amount / benchmark.stats.stats.min


def tell_ratio(figure, benchmark, transactions, prototype):
    """Tell transactions a second, and how many times the prototype's that is."""
    rate = best_per_s(benchmark, transactions)
    low, high = prototype
    text = f"{rate:,.0f} transactions/s, {rate / high:.1f} to {rate / low:.1f} times the prototype"
    benchmark.extra_info["speed"] = text
    figure(text)


def tell_megabytes(figure, benchmark, size, bar, what="logs"):
    """Tell megabytes a second, and how many times the bar (in MB/s) that is."""
    rate = best_per_s(benchmark, size) / 1e6
    text = f"{rate:,.0f} MB/s of {what}, {rate / bar:.1f} times the bar of {bar} MB/s"
    benchmark.extra_info["speed"] = text
    figure(text)
