"""schemathesis, driven: the one package that knows its insides."""
