"""All faults by name, and the servers without one that differ from the stub all the same."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.catalogue import Fault
from tests.faults.clean import CLEAN
from tests.faults.credentials import CREDENTIALS
from tests.faults.echo import ECHO
from tests.faults.objects import OBJECTS
from tests.faults.robustness import ROBUSTNESS
from tests.faults.routing import ROUTING
from tests.faults.secrets import SECRETS
from tests.faults.shape import SHAPE
from tests.faults.state import STATE

_THEMES = (SHAPE, SECRETS, ECHO, STATE, CREDENTIALS, OBJECTS, ROBUSTNESS, ROUTING)

FAULTS: Mapping[str, Fault] = {name: fault for theme in _THEMES for name, fault in theme.faults.items()}
CLEAN_VARIANTS: Mapping[str, Fault] = CLEAN.faults
