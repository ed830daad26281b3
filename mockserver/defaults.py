"""Where the built-in contract and its seed data are: inside the installed package, or in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_BUILTIN = _PACKAGE / "builtin"
_ROOT = _BUILTIN if (_BUILTIN / "openapi.yaml").is_file() else _PACKAGE.parent

#: The built-in contract, used where no `--contract` is given.
CONTRACT = _ROOT / "openapi.yaml"
#: The built-in contract's seed data.
SEED_DATA = _ROOT / "fixtures" / "seed.yaml"
