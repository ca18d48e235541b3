"""The tracker: frames in, faces out."""
