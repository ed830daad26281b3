"""Content of responses: examples of the contract, and generated values."""
