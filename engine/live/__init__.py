"""The engine on a real machine: drivers that carry its actions out."""

from engine.live.directory import JournalDirectory
from engine.live.volume import VolumeDirectory

__all__ = ["JournalDirectory", "VolumeDirectory"]
