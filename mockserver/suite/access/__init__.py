"""Access: whether anybody gets in beside the credentials that an operation asks for, and what a refused call does."""
