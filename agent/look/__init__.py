"""Look at the machine: one file a witness. Changes nothing, starts no daemon."""
