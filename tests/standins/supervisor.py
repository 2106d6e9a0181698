"""The process that stands for systemd on the machine: owns the units, answers systemctl.

Ends, with all daemons, when its parent closes the pipe that it was given.
"""

import asyncio
import json
import os
import signal
import sys

from .journal import Journal
from .layout import CONTROL, SERVICES, faults
from .manager import Manager, installed
from .service_unit import ServiceUnit, build
from .unixhttp import listen

_READY = b"1"


async def _converse(manager: Manager, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line = await reader.readline()
    if line:
        done = await manager.run(json.loads(line))
        writer.write((json.dumps(done) + "\n").encode())
        await writer.drain()
    writer.close()


async def _start(services: dict[str, ServiceUnit], root: str, *, boot: bool) -> None:
    """Start what starts by itself: every socket, the engine, and at a boot what is enabled."""
    for service in services.values():
        engine_down = service.spec.name == "docker.service" and faults(root).get("engine") == "down"
        if not installed(root, service.spec.name) or service.masked or engine_down:
            continue
        for unit in service.sockets:
            unit.start()
        if service.spec.name == "docker.service" or (boot and service.spec.enabled):
            await service.start()


async def _run(root: str, ready: int, *, boot: bool) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    services = build(root, Journal(root))
    manager = Manager(root, services)
    loop.add_reader(0, ended.set)
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    control = listen(os.path.join(root, CONTROL))
    control.setblocking(False)
    server = await asyncio.start_unix_server(lambda r, w: _converse(manager, r, w), sock=control)
    await _start(services, root, boot=boot)
    os.write(ready, _READY)
    os.close(ready)
    await ended.wait()
    server.close()
    for name in SERVICES:
        services[name].kill_now()


def main(root: str, ready: str, boot: str) -> int:
    """Run until the parent is gone."""
    asyncio.run(_run(root, int(ready), boot=boot == "boot"))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
