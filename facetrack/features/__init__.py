"""Reference-frame alignment, orientation maps, patch descriptors and their derivatives."""
