"""From a failure to a finding, and from findings to a verdict."""
