"""Path templates: `/pets/{id}`, `/files/{name}.{ending}`, `/jobs/{id}:cancel` (OpenAPI 3.1, section 4.8.8.2).

text        /jobs/{id}:cancel
literals    /jobs/    :cancel
parameters        id
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_PARAMETER = re.compile(r"\{([^{}/]+)\}")


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path, or one segment of it, in which names stand for values.

    Attributes:
        text: as the document has it.
        literals: the texts around its parameters, one more than these; "" where nothing stands.
        parameters: their names, in order.
    """

    text: str
    literals: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def segments(self) -> tuple[PathTemplate, ...]:
        """What stands between the slashes, "" behind a slash at the end."""
        return tuple(map(parse_template, self.text.removeprefix("/").split("/")))

    @property
    def name(self) -> str:
        """The parameter that it is as a whole, "" if it is more or less than one: `{id}`, but not `{id}.json`."""
        return self.parameters[0] if self.literals == ("", "") else ""

    @property
    def nameless(self) -> str:
        """The text without the names of its parameters, the same for all templates that match the same paths."""
        return "{}".join(self.literals)

    @property
    def item(self) -> str:
        """The text as far as its last parameter, `/pets/{id}` of `/pets/{id}/owner`; "" without parameters."""
        return self.text.removesuffix(self.literals[-1]) if self.parameters else ""

    @property
    def expression(self) -> str:
        """The regular expression of the paths that match, with a group for each parameter."""
        return "([^/]+)".join(map(re.escape, self.literals))

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of a path's parameters as they stand there, None for a path that does not match."""
        found = _compiled(self).fullmatch(path)
        return None if found is None else dict(zip(self.parameters, found.groups(), strict=True))

    def expand(self, values: Mapping[str, str]) -> str:
        """Return the path with values in place of its parameters, as they are: encode them before.

        Raises:
            KeyError: a parameter has no value.
        """
        named = [values[name] + literal for name, literal in zip(self.parameters, self.literals[1:], strict=True)]
        return "".join([self.literals[0], *named])


@lru_cache(maxsize=8192)  # the same paths are asked for by each stage, and by each operation of a contract
def parse_template(text: str) -> PathTemplate:
    """Return the template that a text is; braces that hold no name are literal."""
    parts = _PARAMETER.split(text)
    return PathTemplate(text, tuple(parts[::2]), tuple(parts[1::2]))


@lru_cache(maxsize=8192)
def _compiled(template: PathTemplate) -> re.Pattern[str]:
    return re.compile(template.expression)
