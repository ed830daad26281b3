"""Security definitions of OpenAPI 2.0 as security schemes of OpenAPI 3."""

from __future__ import annotations

from typing import Any

_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}


def schemes(raw: Any) -> Any:
    """Return the security schemes that `securityDefinitions` are; what is no object stays as it is."""
    if not isinstance(raw, dict):
        return {} if raw is None else raw
    return {name: _scheme(item) if isinstance(item, dict) else item for name, item in raw.items()}


def _scheme(raw: dict[str, Any]) -> dict[str, Any]:
    if raw.get("type") == "basic":
        return {name: item for name, item in raw.items() if name != "type"} | {"type": "http", "scheme": "basic"}
    if raw.get("type") != "oauth2":
        return raw
    flow = {name: raw[name] for name in ("authorizationUrl", "tokenUrl") if name in raw}
    scopes = raw.get("scopes")
    made: dict[str, Any] = {
        "type": "oauth2",
        "flows": {
            _FLOWS.get(str(raw.get("flow")), "implicit"): {**flow, "scopes": scopes if isinstance(scopes, dict) else {}}
        },
    }
    return made | {name: item for name, item in raw.items() if name == "description" or name.startswith("x-")}
