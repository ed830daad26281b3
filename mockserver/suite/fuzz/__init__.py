"""Generated requests: schemathesis and Hypothesis, used and patched by this package alone."""
