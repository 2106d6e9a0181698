"""The only doors to the machine: processes, files, sockets, udev, systemd, the journal, the clock."""
