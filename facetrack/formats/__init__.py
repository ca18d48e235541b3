"""File formats: OpenFace CSV, .pts, COCO key points, ELAN and WebVTT, and how files are written."""
