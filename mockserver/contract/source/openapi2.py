"""OpenAPI 2.0 as OpenAPI 3.0, which the rest of the package reads; each element remembers where it stood.

::

    host basePath schemes     -> servers
    definitions               -> components/schemas
    parameters                -> components/parameters, components/requestBodies
    responses                 -> components/responses
    securityDefinitions       -> components/securitySchemes
    in: body, in: formData    -> requestBody, by `consumes`
    schema, examples          -> content, by `produces`

The upgrade is lenient: what it does not understand stays as it is, for document.py to tell of.
"""

from __future__ import annotations

from dataclasses import replace

from mockserver.contract.source.loading import Document
from mockserver.contract.source.openapi2_document import Upgrade

__all__ = ["upgraded"]


def upgraded(document: Document) -> Document:
    """Return a document of OpenAPI 2.0 as one of 3.0, whose places are still those of the file; others as they are."""
    version = document.data.get("swagger")
    if "openapi" in document.data or str(version) != "2.0":
        return document
    upgrade = Upgrade(document.data)
    data = upgrade.document()
    return replace(document, data=data, moved={**document.moved, **upgrade.places.moved})
