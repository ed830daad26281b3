"""The target (the API under test): connections to it, and the requests and responses exchanged with it."""
