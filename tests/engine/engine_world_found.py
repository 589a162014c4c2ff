"""Histories that once went wrong, as short as they could be made, each with what it had found."""


def steps_of(text):
    """Return the steps that are written as `name number; name number ...`."""
    parts = (part.rsplit(" ", 1) for part in text.split("; "))
    return [(name.strip(), int(number)) for name, number in parts]


#: Retention looked while, after a crash, the frontier was the newest durable record: it dropped it.
FRONTIER_NOT_SYNCED = (
    155,
    steps_of("run long 28505; run long 58255; change 624; crash target 14754; run 63716"),
)
#: What became of a tag went into the spool while the capture took itself for in order.
TAG_FATE_IN_SPOOL = (
    1138,
    steps_of("tag 45165; run 26042; tag 26810; change 1876; disconnect 61781"),
)
#: Retention kept a bookmark as a plain write before its second phase had come.
BOOKMARK_KEPT_TOO_EARLY = (
    1521,
    steps_of("change 26970; tag 50518; burst 52277; run 46825; change 42262; decide 62838"),
)
