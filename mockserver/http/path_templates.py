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
    """Path template, or one segment of it: literal texts with parameters between them.

    Attributes:
        text: the template as the document has it.
        literals: the texts around its parameters, one more than these; "" for an empty one.
        parameters: the names of its parameters, in order.
    """

    text: str
    literals: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def segments(self) -> tuple[PathTemplate, ...]:
        """Segments of the path between its slashes, each a template; the last is "" after a trailing slash."""
        return tuple(map(parse_template, self.text.removeprefix("/").split("/")))

    @property
    def name(self) -> str:
        """Name of the parameter if the template is nothing but one, as `{id}` is and `{id}.json` is not; else ""."""
        return self.parameters[0] if self.literals == ("", "") else ""

    @property
    def nameless(self) -> str:
        """Text of the template without parameter names, equal for templates that match the same paths."""
        return "{}".join(self.literals)

    @property
    def item(self) -> str:
        """Template up to its last parameter, as `/pets/{id}` of `/pets/{id}/owner`; "" without parameters."""
        return self.text.removesuffix(self.literals[-1]) if self.parameters else ""

    @property
    def expression(self) -> str:
        """Regular expression of the paths that match the template, with a group for each parameter."""
        return "([^/]+)".join(map(re.escape, self.literals))

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of the parameters in a path, None if the path does not match the template."""
        found = _compiled(self).fullmatch(path)
        return None if found is None else dict(zip(self.parameters, found.groups(), strict=True))

    def expand(self, values: Mapping[str, str]) -> str:
        """Return the path with the given values of its parameters, which must be percent-encoded already.

        Raises:
            KeyError: a parameter has no value.
        """
        named = [values[name] + literal for name, literal in zip(self.parameters, self.literals[1:], strict=True)]
        return "".join([self.literals[0], *named])


@lru_cache(maxsize=8192)  # the same paths are asked for by each stage, and by each operation of a contract
def parse_template(text: str) -> PathTemplate:
    """Return the path template in a text; braces without a name are literal."""
    parts = _PARAMETER.split(text)
    return PathTemplate(text, tuple(parts[::2]), tuple(parts[1::2]))


@lru_cache(maxsize=8192)
def _compiled(template: PathTemplate) -> re.Pattern[str]:
    return re.compile(template.expression)
