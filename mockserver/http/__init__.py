"""HTTP and its neighbours, a module a standard; used by stub and suite, and knowing neither."""
