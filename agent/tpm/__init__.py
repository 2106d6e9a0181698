"""The TPM: which one it is, the keys in it and what they are worth, and the registration id that follows."""
