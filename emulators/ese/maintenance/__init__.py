"""Databases made anew from what another one holds: defragmentation and repair."""
