"""Help of the commands: options in groups, each said once how often it may be given."""

from __future__ import annotations

from typing import Any

import click
from click.types import OptionHelpExtra

#: What the help of a command with options ends with: how else they can be set.
SETTINGS = (
    "Each option can also be set in the environment (--log-format as MOCKSERVER_LOG_FORMAT), in mockserver.toml, "
    "or in [tool.mockserver] of pyproject.toml; a flag wins."
)


class GroupedOption(click.Option):
    """Option that help lists under a heading, with a remark if it may be given several times."""

    def __init__(self, *names: Any, group: str = "", **settings: Any) -> None:
        """Take what `click.Option` takes, and the heading."""
        super().__init__(*names, **settings)
        self.group = group
        if self.multiple and self.help:
            self.help = f"{self.help.rstrip('.')}. May be repeated."

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return default and `required`; error messages name the environment variable and the range of a number."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        extra.pop("envvars", None)
        return extra


class GroupedCommand(click.Command):
    """Command whose help has a heading for each group of options, in the order in which the options were declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each heading; options without a heading come last, as `Other`."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(parameter, "group", ""), []).append(record)
        rest = groups.pop("", [])  # --help
        for heading, records in {**groups, "Other": rest}.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=28)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the epilog of the command, and how its options can be set without a flag."""
        for text in filter(None, (self.epilog, SETTINGS)):
            formatter.write_paragraph()
            formatter.write_text(text)
