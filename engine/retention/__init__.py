"""Retention: which points stay, and how the others leave."""
