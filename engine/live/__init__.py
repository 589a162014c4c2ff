"""The engine on a real machine: drivers that carry its actions out."""

from engine.live.directory import JournalDirectory

__all__ = ["JournalDirectory"]
