"""The trained models that ship with Facetrack, each with its model card."""
