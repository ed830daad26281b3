"""The process that runs the stub: HTTP server, TLS, access log, rate limit, callbacks."""
