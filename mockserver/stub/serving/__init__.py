"""The process around the application: server, TLS, log, rate limit, callbacks."""
