"""`mockserver lint`: what is wrong with a contract."""
