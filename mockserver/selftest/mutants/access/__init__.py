"""Classes of mutants that let callers in beside the credentials."""
