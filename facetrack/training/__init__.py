"""Motion statistics, training sets and the trainer."""
