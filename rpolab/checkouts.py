"""Which commit a scenario was run from: what git says of its folder, if it says anything.

git is asked as a command, with a time limit and without taking any lock; where there is none, or
no checkout, nothing is noted, and nothing fails.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 5
# Where a pipeline has checked out a commit and no branch, it says the branch in one of these.
_BRANCH_VARIABLES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A commit that is checked out.

    Attributes:
        folder: the topmost of the checkout.
        commit: in hex; empty before the first commit.
        branch: empty where a commit and no branch is checked out, and no pipeline says one.
        is_dirty: whether a file under version control was changed.
    """

    folder: Path
    commit: str
    branch: str
    is_dirty: bool


def checkout_of(folder: Path, environment: Mapping[str, str] = os.environ) -> Checkout | None:
    """The checkout that a folder is in, or None."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    status = _git(folder, *_STATUS)
    if not top or status is None:
        return None
    lines = status.splitlines()
    commit = _header(lines, "branch.oid")
    branch = _header(lines, "branch.head")
    if branch == "(detached)":
        named = (environment.get(name, "") for name in _BRANCH_VARIABLES)
        branch = next(filter(None, named), "")
    is_dirty = any(not line.startswith("#") for line in lines)
    return Checkout(
        Path(top.rstrip("\n")), "" if commit == "(initial)" else commit, branch, is_dirty
    )


def _header(lines: list[str], name: str) -> str:
    prefix = f"# {name} "
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), "")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            command, capture_output=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
