"""What is known: the snapshot of a look, the steps, the status, the record. Pure."""
