"""How long something takes or is ago, as people say it. Pure."""

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def in_words(duration_s: float) -> str:
    """Give a duration in its largest unit, rounded down: "4 minutes"; less than a second is "0 seconds"."""
    whole_s = max(0, int(duration_s))
    name, size_s = next((unit for unit in _UNITS if whole_s >= unit[1]), _UNITS[-1])
    count = whole_s // size_s
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
