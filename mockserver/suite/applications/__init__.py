"""Applications in this process as targets, WSGI and ASGI: found by name, called without a socket."""
