"""Carry a plan out: one file a family of deeds, and the record of what was done."""
