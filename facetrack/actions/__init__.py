"""Actions: small movements in small places, named by discriminative filter banks."""
