"""Numbers of one person over a video or chosen spans of it: shares of time, means, rates."""
