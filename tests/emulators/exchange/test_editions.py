"""A18: what the editions allow, row by row of exchange.md 5.1."""

import pytest

from emulators.exchange.editions import (
    EDITIONS,
    ENTERPRISE_2003,
    ENTERPRISE_2007,
    GIB,
    STANDARD_2003,
    STANDARD_2007,
    TIB,
    EditionError,
    require_allowed,
    require_replicable,
    with_service_pack,
)

LARGEST = {
    STANDARD_2003: [2],
    ENTERPRISE_2003: [5, 5, 5, 5],
    STANDARD_2007: [1, 1, 1, 1, 1],
    ENTERPRISE_2007: [1] * 50,
}
TOO_LARGE = {
    STANDARD_2003: ([1, 1], [3]),
    ENTERPRISE_2003: ([1] * 5, [6], [5, 5, 5, 6]),
    STANDARD_2007: ([1] * 6, [6], [2, 2, 2]),
    ENTERPRISE_2007: ([1] * 51, [6], [2] * 26),
}


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.name)
def test_a18_the_largest_server_is_allowed_and_one_more_is_not(edition):
    require_allowed(edition, LARGEST[edition])
    for counts in TOO_LARGE[edition]:
        with pytest.raises(EditionError, match=edition.name) as caught:
            require_allowed(edition, counts)
        assert caught.value.hint


def test_five_databases_in_one_group_are_allowed_by_2007_standard():
    require_allowed(STANDARD_2007, [5])


def test_continuous_replication_takes_one_database_per_group_of_2007():
    for edition in (STANDARD_2007, ENTERPRISE_2007):
        require_replicable(edition, "SG1", 1)
        with pytest.raises(EditionError, match="SG1 has 2 databases"):
            require_replicable(edition, "SG1", 2)
    with pytest.raises(EditionError, match="no continuous replication"):
        require_replicable(ENTERPRISE_2003, "SG1", 1)


@pytest.mark.parametrize(
    ("service_pack", "registry", "limit"),
    [(0, None, 16), (1, None, 16), (2, None, 18), (2, 75, 75)],
)
def test_the_size_limit_of_2003_standard_follows_the_service_pack(service_pack, registry, limit):
    edition = with_service_pack(STANDARD_2003, service_pack, registry_limit_gib=registry)
    assert edition.database_bytes_max == limit * GIB


@pytest.mark.parametrize(("service_pack", "registry"), [(1, 20), (2, 76), (2, 0)])
def test_a_limit_that_cannot_be_set_is_refused(service_pack, registry):
    with pytest.raises(EditionError):
        with_service_pack(STANDARD_2003, service_pack, registry_limit_gib=registry)


def test_the_other_editions_keep_their_limits():
    assert with_service_pack(ENTERPRISE_2007, 1) == ENTERPRISE_2007
    assert ENTERPRISE_2007.database_bytes_max == 16 * TIB
    assert STANDARD_2007.database_bytes_max is None
