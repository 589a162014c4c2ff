"""A database as trees of cached pages: space, tables, long values, transactions."""
