"""Many videos: finding them, tracking each into files, ledgers, resuming, one process or many."""
