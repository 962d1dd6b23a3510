"""Import paths that other projects' documentation names."""
