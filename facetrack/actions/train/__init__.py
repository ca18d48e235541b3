"""What trains the filter banks, with torch."""
