"""The files of a group as they were at one sequence."""
