"""The stub: a server that answers requests as a contract documents; its modules by the order of a request's stages."""
