"""What corrected frames teach: errors, counts of an annotator's corrections, costs."""
