"""No harm to a real server: policy, limits, ledger, and putting back."""
