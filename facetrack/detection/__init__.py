"""Finding faces in a picture, and recognising shot cuts."""
