"""What is to be done: one file a concern, and `plan.py` their order. Pure."""
