"""The engine as bytes: records, bodies, segment files, marks, frames."""
