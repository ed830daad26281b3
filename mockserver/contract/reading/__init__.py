"""Reading a contract: raw OpenAPI to the frozen values of the model, once."""
