"""Copies: several journals of one capture; one is made or repaired from another."""
