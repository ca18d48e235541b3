"""Whether people keep their ids."""
