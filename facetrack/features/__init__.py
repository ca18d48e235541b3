"""Crops and masks of the face, orientation maps, patch descriptors and their derivatives."""
