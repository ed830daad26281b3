"""What a run tells: every form is made of one document, the JSON report (DESIGN, section 3)."""
