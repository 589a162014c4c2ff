"""Failover: one authority issues epochs; a promoted copy begins a branch, the old one ends."""
