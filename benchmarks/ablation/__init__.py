"""What each part of the method brings, beside prior art."""
