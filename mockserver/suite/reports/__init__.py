"""Reports of a run; all forms are made from one document, the JSON report."""
