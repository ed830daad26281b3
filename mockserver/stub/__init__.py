"""The stub: serves a contract; modules in the order in which a request meets them."""
