"""What a run is limited to: operations by name, tag and deprecation, and checks by name."""
