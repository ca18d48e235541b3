"""Recognition of facial actions: filter banks, and classes learned from few examples."""
