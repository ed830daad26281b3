"""Contract of shelves with books, nobody's examples in it: collections, an item below an item, bearer tokens."""

from __future__ import annotations

from pathlib import Path

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.stub.store.seed import Account, Token

_CONTRACT = """
openapi: 3.1.0
info: {title: Shelves, version: '1'}
security: [{bearer: []}]
paths:
  /open:
    get: {operationId: open, security: [], responses: {'200': {description: d}}}
  /shelves:
    get:
      operationId: listShelves
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: offset, in: query, schema: {type: integer, minimum: 0}}
        - {name: label, in: query, schema: {type: string}}
      responses: &list
        '200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Shelves'}}}}
        '401': {$ref: '#/components/responses/Refused'}
    post: &create
      operationId: createShelf
      requestBody: &content
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/NewShelf'}}}
      responses:
        '201': &one
          description: d
          headers: {ETag: {schema: {type: string}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Shelf'}}}
        '400': {$ref: '#/components/responses/Refused'}
        '401': {$ref: '#/components/responses/Refused'}
        '422': {$ref: '#/components/responses/Refused'}
  /shelves/{shelf}:
    parameters: [{name: shelf, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: readShelf
      parameters: [{name: If-None-Match, in: header, schema: {type: string}}]
      responses: &item
        '200': *one
        '304': {description: d}
        '401': {$ref: '#/components/responses/Refused'}
        '404': {$ref: '#/components/responses/Refused'}
    put: &write
      operationId: replaceShelf
      parameters: [{name: If-Match, in: header, schema: {type: string}}]
      requestBody: *content
      responses: &written
        '200': *one
        '401': {$ref: '#/components/responses/Refused'}
        '404': {$ref: '#/components/responses/Refused'}
        '412': {$ref: '#/components/responses/Refused'}
        '422': {$ref: '#/components/responses/Refused'}
    patch:
      operationId: changeShelf
      requestBody:
        required: true
        content: {application/merge-patch+json: {schema: {$ref: '#/components/schemas/ShelfChange'}}}
      responses: *written
    delete:
      operationId: deleteShelf
      responses: &gone
        '204': {description: d}
        '401': {$ref: '#/components/responses/Refused'}
        '404': {$ref: '#/components/responses/Refused'}
  /shelves/{shelf}/books:
    parameters: [{name: shelf, in: path, required: true, schema: {type: integer}}]
    get: {operationId: listBooks, responses: *list}
    post: {<<: *create, operationId: createBook}
  /shelves/{shelf}/books/{book}:
    parameters:
      - {name: shelf, in: path, required: true, schema: {type: integer}}
      - {name: book, in: path, required: true, schema: {type: integer}}
    get: {operationId: readBook, responses: *item}
    delete: {operationId: deleteBook, responses: *gone}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  responses:
    Refused: {description: d, content: {application/problem+json: {schema: {type: object}}}}
  schemas:
    Members: &members
      label: {type: string, minLength: 1, maxLength: 40}
      note: {type: string, maxLength: 200}
      width: {type: integer, minimum: 1, maximum: 900}
    NewShelf: {type: object, required: [label, width], additionalProperties: false, properties: *members}
    ShelfChange: {type: object, additionalProperties: false, minProperties: 1, properties: *members}
    Shelves: {type: array, items: {$ref: '#/components/schemas/Shelf'}}
    Shelf: {type: object, required: [id, label], properties: {<<: *members, id: {type: integer, readOnly: true}}}
"""
TOKEN = "a-token-of-the-test-that-is-long-enough"
ACCOUNTS = {
    name: Account(name, password="a-password", tokens=(Token(token, 0, 2**31 - 1),))
    for name, token in (("one", TOKEN), ("two", "another-token-of-the-test-of-this-length"))
}


def shelves(folder: Path) -> Contract:
    """Return the contract, written to a folder."""
    path = folder / "shelves.yaml"
    path.write_text(_CONTRACT, encoding="utf-8")
    return load_contract(path)
