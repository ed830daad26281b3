"""JSON Schema: translation of a contract's schemas to the dialect 2020-12, and compiled validators."""
