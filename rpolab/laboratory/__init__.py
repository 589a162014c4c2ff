"""The experiment: its world, what breaks, what is recovered, and what is measured."""
