"""A pass, from the lock to the status that it leaves behind."""
