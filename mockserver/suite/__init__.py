"""Does a server keep the contract? The second, independent judge: it knows the contract and the wire only."""
