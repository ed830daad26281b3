"""Values of schemas: one generator, which stub and suite share, and whose results the validator checks."""
