"""Labelled data: .pts folders, dlib XML, 300-VW and video tracks."""
