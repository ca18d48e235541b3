"""Reading words from the lips of a tracked face."""
