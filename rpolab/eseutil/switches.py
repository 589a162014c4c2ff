"""Switches as the emulated tools take them: a letter or a word after '/' or '-', in any case."""

import click

MARKS = ("/", "-")


class SwitchCommand(click.Command):
    """Leaves the arguments alone: a leading '-' may begin a switch of the emulated tool."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hides the switches behind '--', except where help or a traceback is asked for."""
        own = [argument for argument in args if argument.startswith("--")]
        rest = [argument for argument in args if not argument.startswith("--")]
        return super().parse_args(ctx, [*own, "--", *rest])


def is_marked(argument: str) -> bool:
    """Return whether an argument begins as switches do; a path may, too."""
    return argument[:1] in MARKS


def switch_of(argument: str, mark: str = "/") -> str:
    """Return an argument in the way the tables of switches write it; others as they are."""
    return f"{mark}{argument[1:].lower()}" if is_marked(argument) else argument
