"""What the trials say about ketamine and the alternatives in PTSD, computed from tables with a source on every row."""
