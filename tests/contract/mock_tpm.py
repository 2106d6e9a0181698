"""A mock machine with a TPM to plug: run under umockdev-wrapper, driven by lines on stdin, each answered.

The first line of output is the mock's root; a process sees the mock with UMOCKDEV_DIR set to it and
libumockdev-preload.so.0 loaded.
"""

import sys

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402  # the version has to be asked for first

_ATTRIBUTES = {
    "tpm": (["tpm_version_major", "2", "dev", "10:224"], ["MAJOR", "10", "MINOR", "224"]),
    "tpmrm": (["dev", "253:65536"], ["MAJOR", "253", "MINOR", "65536"]),
    "block": (["dev", "8:0"], ["MAJOR", "8", "MINOR", "0"]),
}


def main() -> None:
    testbed = UMockdev.Testbed.new()
    places: dict[str, str] = {}
    print(testbed.get_root_dir(), flush=True)
    for line in sys.stdin:
        action, name = line.split()
        if action == "add":
            subsystem = name.rstrip("0123456789")
            attributes, properties = _ATTRIBUTES[subsystem]
            named = [*properties, "DEVNAME", f"/dev/{name}"]
            places[name] = testbed.add_device(subsystem, name, None, attributes, named)
        elif action == "remove":
            testbed.uevent(places[name], "remove")
            testbed.remove_device(places.pop(name))
        else:
            testbed.uevent(places[name], action)
        print("ok", flush=True)


if __name__ == "__main__":
    main()
