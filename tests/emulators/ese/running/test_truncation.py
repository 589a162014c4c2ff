"""Which logs a backup may delete: an exhaustive table against the rule's own words."""

from itertools import product

from emulators.ese.running.truncation import plan_truncation

GENERATIONS = range(1, 7)


def test_every_small_case_deletes_what_nobody_needs_and_nothing_else(figure):
    cases = 0
    for lowest, count, required_from, high, copies in product(
        GENERATIONS, range(6), range(1, 9), range(8), (None, *range(1, 9))
    ):
        archives = range(lowest, lowest + count)
        plan = plan_truncation(
            archives,
            required_from=required_from,
            generation_high=high,
            copies_need_from=copies,
        )
        free = {g for g in archives if g < required_from and g <= high}
        kept_for_copies = {g for g in free if copies is not None and g >= copies}
        assert set(plan.generations) == free - kept_for_copies
        assert list(plan.generations) == sorted(plan.generations), "the lowest goes first"
        if kept_for_copies:
            assert plan.warning.code == -616
        cases += 1
    figure(f"{cases} cases")


def test_what_is_deleted_leaves_one_sequence():
    plan = plan_truncation(range(3, 9), required_from=6, generation_high=7, copies_need_from=None)
    assert plan.generations == (3, 4, 5)
    assert plan.warning is None
