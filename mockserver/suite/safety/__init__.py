"""Protection of real servers: write policy, rate limits, ledger, and restoring what was changed."""
