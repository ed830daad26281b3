"""The suite: judges whether a server keeps its contract, by the contract and HTTP alone, without stub code."""
