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
#: A time after the last record before a lost spool was answered, though writes of then are lost.
TIME_OF_LOST_SPOOL = (
    30,
    steps_of(
        "disconnect 14647; decide 64808; change 40526; crash target 16953; burst 40451; tag 40858; "
        "run 33034; crash target 10530; fail back 18132; run 31879; fail back 41237; "
        "fail back 15535; tag 3767; change 53703; change 39446; lose spool 23473; tamper 24427; "
        "trial 61869; roll back 43416"
    ),
)
#: A new primary that stopped without warning before its first write could not join its branch.
STOPPED_BEFORE_ITS_FIRST_WRITE = (22, steps_of("run 52063; promote 56012; stop host 46622"))
#: Retention compacted away the point at which a branch had begun.
BASE_OF_A_BRANCH = (
    190,
    steps_of(
        "change 26307; keep 51337; re-seed 63567; burst 49224; run long 61608; promote 44942; "
        "change 31488; re-seed 36121; seal 20903; fail back 34588; change 21619; keep 26070"
    ),
)
#: The record that begins a branch filled the pool, and the first change went to the spool unseen.
EPOCH_FILLS_THE_POOL = (10087, steps_of("change 49951; run 59009; promote 38601; change 30916"))
#: Both ends of a branch were compared without what lies below it: equal blocks that were not.
COMPARED_WITHOUT_THE_PARENT = (
    10068,
    steps_of(
        "change 24321; change 44239; run 25421; promote 26714; cut link 10502; change 60787; "
        "stop host 49543"
    ),
)
#: A point was pinned while a plan that gave it up was being carried out.
PINNED_MEANWHILE = (353, steps_of("change 35132; burst 13671; run 31692; pin 42118; run 13819"))

FOUND = {
    name: value
    for name, value in sorted(vars().items())
    if name.isupper() and isinstance(value, tuple)
}
