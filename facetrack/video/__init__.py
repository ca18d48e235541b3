"""Sources of frames with true timestamps, overlays and sinks."""
