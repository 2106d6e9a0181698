"""The endorsement keys that a device was met with, one after the other: does its TPM keep its keys? Pure.

A trail holds the Names (hex) in their order, each with the boot in which it was met first. A Name that is met
again in a later boot was kept over a restart, and the trail begins anew with it.
"""

Trail = tuple[tuple[str, str], ...]
_LONGEST = 3  # the recorded key and two changes: more says nothing more


def met(trail: Trail, name: str, boot_id: str) -> Trail:
    """Give the trail after a key of this Name was met; a trail of one key, met again, stays as it is."""
    since = dict(trail).get(name)
    if since is None:
        return (*trail, (name, boot_id))[-_LONGEST:]
    return trail if since == boot_id or len(trail) == 1 else ((name, boot_id),)


def earlier(trail: Trail, name: str) -> tuple[str, ...]:
    """Give the Names that came before this one, which may be in the trail already or come next."""
    names = [each for each, _ in trail]
    return tuple(names[: names.index(name)] if name in names else names)


def is_second_change(trail: Trail, name: str) -> bool:
    """Say whether a key of this Name is the second in a row that is not the one before."""
    return len(earlier(trail, name)) > 1
