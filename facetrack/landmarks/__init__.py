"""Mark-ups, Procrustes analysis, the point distribution model and head pose."""
