"""Many images in parts, by one process or on Ray, each part done once."""
