"""The document as the values of model.py, read once."""
