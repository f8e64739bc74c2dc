"""The directive `command-line`: every command with its options, as the parser of `walkshed` knows them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from walkshed import cli


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, help and parser of every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield name, helps.get(name, ""), command


def usage(command: argparse.ArgumentParser) -> str:
    """The line of usage, as wide as a page."""
    formatter = argparse.HelpFormatter(command.prog, width=88)
    formatter.add_usage(command.usage, command._actions, command._mutually_exclusive_groups, prefix="")
    return formatter.format_help().strip()


def rows(command: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """What may be written, and what it does."""
    formatter = argparse.HelpFormatter(command.prog)
    for action in command._actions:
        if action.help != argparse.SUPPRESS and action.dest != "help":
            # A default of False or an empty list says nothing that the option does not.
            said = action.default if isinstance(action.default, (str, int)) and action.default else None
            default = "" if said is None else f"; {said} where nothing is said"
            text = formatter._expand_help(action) if action.help else ""
            yield formatter._format_action_invocation(action), text + default


class CommandLine(SphinxDirective):
    """One section for each command."""

    def run(self) -> list[nodes.Node]:
        """Build the sections."""
        return [self.section(*command) for command in commands(cli._parser())]

    def section(self, name: str, text: str, command: argparse.ArgumentParser) -> nodes.section:
        """One command: its help, its usage, a table of its arguments."""
        section = nodes.section(ids=[f"walkshed-{name}"], names=[f"walkshed {name}"])
        section += nodes.title(text=f"walkshed {name}")
        section += nodes.paragraph(text=(command.description or text).capitalize() + ".")
        section += nodes.literal_block(usage(command), usage(command), language="text")
        section += table(list(rows(command)))
        return section


def table(rows: list[tuple[str, str]]) -> nodes.table:
    """Two columns: as it is written, and what it does."""
    group = nodes.tgroup(cols=2)
    group += [nodes.colspec(colwidth=35), nodes.colspec(colwidth=65)]
    body = nodes.tbody()
    for written, does in rows:
        row = nodes.row()
        row += nodes.entry("", nodes.paragraph("", "", nodes.literal(text=written)))
        row += nodes.entry("", nodes.paragraph(text=does))
        body += row
    group += body
    whole = nodes.table(classes=["arguments"])
    whole += group
    return whole


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the directive known."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
