"""Networks that read a tracked face: compact, and binary where one core must do."""
