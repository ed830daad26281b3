"""A stub server and a contract-testing suite for any OpenAPI contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.stub.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Import `create_app` and the like on first use, so that `import mockserver` stays fast for the command line."""
    if name == "create_app":
        from mockserver.stub.app import create_app

        return create_app
    raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
