"""Writing to standard output and error: a closed pipe is no error, other failures are."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper, UnsupportedOperation
from typing import TextIO


def prepare_streams() -> None:
    """Lets any text be written: what the encoding lacks becomes an escape, not an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Writes what the command is for to standard output, with a final newline."""
    write_line(sys.stdout, text)


def complain(text: str) -> None:
    """Writes a remark or an error to standard error, with a final newline."""
    write_line(sys.stderr, text)


def say_bytes(content: bytes) -> None:
    """Writes a document to standard output as it is, whatever the terminal's encoding."""
    with closed_pipe_is_fine(sys.stdout):
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@contextmanager
def closed_pipe_is_fine(stream: TextIO) -> Iterator[None]:
    """Ends output quietly when nobody reads it any more, and lets the command go on."""
    try:
        yield
    except BrokenPipeError:
        silence(stream)


def silence(stream: TextIO) -> None:
    """Sends all further output of a stream, and what it still holds, to nowhere."""
    try:
        descriptor = stream.fileno()
    except (UnsupportedOperation, ValueError):
        return  # a stream without a descriptor has no pipe that could close
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def shown(text: object) -> str:
    """Text from outside on one line: what is not printable, an escape sequence say, is escaped."""
    line = str(text)
    if line.isprintable():
        return line
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in line
    )


def write_line(stream: TextIO, text: str) -> None:
    """Writes to a stream, with a final newline."""
    with closed_pipe_is_fine(stream):
        stream.write(text if text.endswith("\n") else f"{text}\n")
        stream.flush()
