"""Synthetic faces with exact truth: who they are, how they move, how they look."""
