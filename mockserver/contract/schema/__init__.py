"""JSON Schema: validators, and the schemas of contracts in terms of 2020-12."""
