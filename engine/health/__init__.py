"""How a copy fares: its RPO at three stages, backlog, bookmarks, alarms, and whether it opens."""
