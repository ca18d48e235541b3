"""How well landmarks are found: errors, protocols, peers, jitter, speed and reports."""
