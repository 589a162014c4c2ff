"""Databases that are not mounted: soft recovery, and opening what it made clean."""
