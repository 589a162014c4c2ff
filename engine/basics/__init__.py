"""What every room speaks of: errors, settings, payloads, cursors, figures, invariants."""
