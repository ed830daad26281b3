"""Makes calls with the Python client that was generated into a folder, as `generated`: JSON in, JSON out."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from typing import Any


def made(call: dict[str, Any], package: Any, classes: list[type]) -> dict[str, Any]:
    """Return status and value of the response to a call, or what went wrong."""
    configuration = package.Configuration(call["host"], username=call["username"], password=call["password"])
    name = f"{call['operation']}_with_http_info"
    try:
        (api,) = (one for one in classes if hasattr(one, name))
        client = package.ApiClient(configuration)
        method = getattr(api(client), name)
        arguments = dict(call["arguments"])
        if call["body"] is not None:
            taken = [one for one in inspect.signature(method).parameters if not one.startswith("_")]
            (body,) = set(taken) - arguments.keys()
            model = getattr(package, call["body_model"]) if call["body_model"] else None
            arguments[body] = model.from_dict(call["body"]) if model is not None else call["body"]
        answer = method(**arguments)
        return {"status": answer.status_code, "value": client.sanitize_for_serialization(answer.data)}
    except Exception as error:  # noqa: BLE001 - whatever a generated client does wrong is to be told
        status = getattr(error, "status", None)
        if status is not None and getattr(error, "body", None) is not None:
            return {"status": status, "value": json.loads(error.body)}  # type: ignore[attr-defined]  # has it
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Run the command."""
    sys.path.insert(0, sys.argv[1])
    package = importlib.import_module("generated")
    apis = importlib.import_module("generated.api")
    modules = [importlib.import_module(f"generated.api.{one.name}") for one in pkgutil.iter_modules(apis.__path__)]
    classes = [one for module in modules for one in vars(module).values() if inspect.isclass(one)]
    classes = [one for one in classes if one.__name__.endswith("Api")]
    sys.stdout.write(json.dumps([made(call, package, classes) for call in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
