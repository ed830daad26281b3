"""All servers that differ from the stub, by name: those with a fault, and those without one."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.catalogue import Fault
from tests.faults.clean import CLEAN
from tests.faults.planted import PLANTED

FAULTS: Mapping[str, Fault] = PLANTED.faults
CLEAN_VARIANTS: Mapping[str, Fault] = CLEAN.faults
