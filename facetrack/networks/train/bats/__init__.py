"""Search of architectures for binary networks: Bulat et al., ECCV 2020, arXiv 2003.01711 (BATS)."""
