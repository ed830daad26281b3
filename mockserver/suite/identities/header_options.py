"""`--header`: fields of every request, and the credentials among them, which are an identity's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mockserver.contract.model import Contract
from mockserver.suite.identities.identities import Identities, Identity, held
from mockserver.suite.identities.request_fields import joined_fields, read_header


def with_headers(
    identities: Identities,
    header: Sequence[str],
    contract: Contract,
    environment: Mapping[str, str] | None = None,
    *,
    makes_identity: bool = True,
) -> Identities:
    """Return identities that call with the fields of `--header`, too.

    A field of a security scheme, `Authorization` and `Cookie` are credentials: an identity that has none of its own
    for that scheme calls with it, and it makes an identity where there is none, unless that is not wanted: our own stub
    has accounts of its own. All others go with every request.

    Raises:
        UsageError: a field is written wrongly, or not the user's to set.
    """
    values = os.environ if environment is None else environment
    fields = joined_fields([read_header(text, values) for text in header])
    names = {one.parameter.lower() for one in contract.security_schemes.values() if one.location == "header"}
    names |= {"authorization", "cookie"}
    alone = dict(field for field in fields if field[0].lower() in names)
    always = tuple(field for field in fields if field[0].lower() not in names)
    if not alone:
        return replace(identities, always=always).resolved(contract)
    given = identities.given or ((Identity(),) if makes_identity else ())
    # Not until header fields of the file are credentials of schemes it is known what an identity lacks.
    own = replace(identities, given=given).resolved(contract).given
    given = tuple(
        replace(identity, headers={**_lacking(contract, identity, alone), **identity.headers}) for identity in own
    )
    return replace(identities, given=given, always=always, unbound=tuple(alone.items())).resolved(contract)


def _lacking(contract: Contract, identity: Identity, alone: Mapping[str, str]) -> dict[str, str]:
    """Return the fields whose credential an identity does not have by itself."""
    own = {name.lower() for name in identity.headers}

    def is_lacking(name: str, value: str) -> bool:
        schemes = [one for one in contract.security_schemes.values() if held(one, {name: value}) is not None]
        return name.lower() not in own and (not schemes or any(identity.credential(one) is None for one in schemes))

    return {name: value for name, value in alone.items() if is_lacking(name, value)}
