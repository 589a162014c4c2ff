"""What ESE writes on disk: pages, records, headers, logs, as bytes and back (ese-format.md)."""
