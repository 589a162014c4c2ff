"""What a page shows: its code blocks, and commands that are run to see whether they print that."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ENVIRONMENT = {
    "COLUMNS": "80",
    "LANG": "C.UTF-8",
    "PYTHONIOENCODING": "utf-8",
}
FENCE = re.compile(r"^```([a-z]+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"`([\w.-]+)`:\s*\Z")


class Block(NamedTuple):
    """A fenced block of a page; `name` is the file that the words before it say it is."""

    language: str
    text: str
    line: int
    name: str


class Command(NamedTuple):
    """A command of a console block, the lines shown below it, and the exit code it must have."""

    arguments: list[str]
    lines: list[str]
    exit_code: int


def blocks(page: str, *languages: str) -> list[Block]:
    found = []
    for fence in FENCE.finditer(page):
        before = page[: fence.start()]
        named = NAMED.search(before)
        line = before.count("\n") + 1
        found.append(Block(fence[1], fence[2], line, named[1] if named else ""))
    return [block for block in found if not languages or block.language in languages]


def commands(block: Block) -> list[Command]:
    """`echo $?` after a command shows its exit code; without, it is 0."""
    found = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        if command == "echo $?":
            found[-1] = found[-1]._replace(exit_code=int(lines[0]))
        else:
            found.append(Command(shlex.split(command, comments=True), lines, 0))
    return found


def problems(command: Command, folder: Path) -> list[str]:
    """Run a command in a folder; return what is not as shown."""
    program, *arguments = command.arguments
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**ENVIRONMENT, "HOME": str(folder)},
        timeout=300,
    )
    found = not_printed(command.lines, done.stdout + done.stderr)
    if done.returncode != command.exit_code:
        found.append(f"exit code {done.returncode}: {done.stderr}")
    return found


def not_printed(lines: list[str], printed: str) -> list[str]:
    """The shown lines that the output has not, in their order; '...' stands for any lines."""
    found = iter(printed.splitlines())
    return [
        f"not printed: {line}"
        for line in lines
        if line not in ("...", "") and not any(line.rstrip() == other.rstrip() for other in found)
    ]
