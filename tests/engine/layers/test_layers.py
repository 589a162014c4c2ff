"""Layers against the reference: whatever was flattened and merged reads as the records do."""

from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, Shop


@settings(deadline=None, max_examples=150)
@given(CHANGES, st.data())
def test_any_way_of_parting_a_history_into_layers_reads_as_the_records_do(changes, data):
    shop = Shop(changes)
    last = shop.journal.durable.sequence
    ends = sorted(data.draw(st.sets(st.integers(1, last), max_size=4)))
    low = 0
    for high in ends:
        shop.flatten(low, high)
        low = high
    shop.check_all()
    if len(ends) > 1:
        shop.flatten(0, ends[-1], is_image=data.draw(st.booleans()))
        shop.drop_layers(keep=1)
    shop.check_all()
