"""Classes of mutants that break the state of items of any contract: creation, lists, writes, deletion."""
