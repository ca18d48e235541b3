"""What a person's corrections make of a track: re-tracking, folders of corrections."""
