"""Does a server keep the contract? The second, independent judge: it knows contract and wire, nothing else."""
