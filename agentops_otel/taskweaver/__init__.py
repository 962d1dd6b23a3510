"""TaskWeaver's sessions as traces."""
