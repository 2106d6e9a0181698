"""What to say of an error of the system: never nothing, and where it came from."""


def reason(error: OSError) -> str:
    """Give the system's words; an error that a library made itself has none, but words of its own."""
    return error.strerror or str(error) or type(error).__name__


def with_place(error: OSError) -> str:
    """Give the same with the path that the error is about in front, where it is about one."""
    return f"{error.filename}: {reason(error)}" if error.filename else reason(error)
