"""Other trackers beside this one: the same clips, one run."""
