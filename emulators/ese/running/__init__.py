"""A mounted storage group: the processes that write its log, its pages and its checkpoint."""
