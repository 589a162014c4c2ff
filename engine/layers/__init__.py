"""Layers over the journal's records: flattened, merged, certified, and read newest first."""
