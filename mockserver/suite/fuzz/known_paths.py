"""Known paths: most generated requests with valid path parameters are about an item that is there."""

from __future__ import annotations

from typing import Any

from mockserver import sources
from mockserver.contract.model import Operation
from mockserver.http.path_templates import parse_template
from mockserver.messages import NO_CONTENT
from mockserver.suite.run.session import Run
from mockserver.suite.survey.knowledge import typed

#: Share of the valid path parameters that are replaced: the others find out what the server makes of a strange name.
_SHARE = 0.75


def use_known_paths(run: Run, schema: Any) -> None:
    """Make schemathesis call operations on items that the survey knows, in most of the cases that it generates."""

    @schema.hook  # type: ignore[untyped-decorator]  # schemathesis does not say what it returns
    def map_path_parameters(context: Any, path_parameters: Any) -> Any:
        label = context.operation.label if context.operation is not None else ""
        operation = run.contract.by_label.get(label)
        if operation is None or not isinstance(path_parameters, dict) or operation.objects is not None:
            return path_parameters
        if not _is_valid(run, operation, path_parameters):
            return path_parameters  # a case that is wrong on purpose
        if sources.chance(label, repr(sorted(path_parameters.items()))).random() >= _SHARE:
            return path_parameters
        known = run.known.path_values(operation, None, {}, own=not operation.safe)
        return {**path_parameters, **{name: value for name, value in known.items() if name in path_parameters}}


def _is_valid(run: Run, operation: Operation, values: dict[str, Any]) -> bool:
    declared = {one.name: one for one in operation.parameters if one.location == "path"}
    names = parse_template(operation.path).parameters
    return all(typed(run.contract, declared.get(name), values.get(name)) is not NO_CONTENT for name in names)
