"""The unit files of the runtime's packages, and of the container engine's."""

from .layout import SERVICES, SOCKETS, SYSTEMD_STOP_TIMEOUT_S, ServiceSpec, SocketSpec

_SERVICE = """[Unit]
Description={description}
{order}
[Service]
{extras}ExecStart={program}
KillMode=process
Restart=on-failure
RestartSec={restart_s:g}s
User={user}

[Install]
WantedBy=multi-user.target
"""
_SOCKET = """[Unit]
Description={spec.description}
{part}
[Socket]
ListenStream=/{spec.path}
SocketUser={spec.user}
SocketGroup={spec.group}
SocketMode={spec.mode:04o}
DirectoryMode=0755
Service={service}

[Install]
WantedBy=sockets.target
"""


def service_text(spec: ServiceSpec) -> str:
    """Write a service's unit file."""
    sockets = " ".join(spec.sockets)
    wanted = " ".join(spec.wanted)
    order = f"Requires={sockets}\nAfter={' '.join((*spec.wanted, *spec.sockets))}\n"
    extras = (
        (f'Environment="{spec.environment}"\n', spec.environment),
        (f"RestartPreventExitStatus={spec.prevent_restart}\n", spec.prevent_restart is not None),
        (f"TimeoutStopSec={spec.stop_timeout_s:g}\n", spec.stop_timeout_s != SYSTEMD_STOP_TIMEOUT_S),
    )
    return _SERVICE.format(
        description=spec.description,
        order=order + (f"Wants={wanted}\n" if wanted else ""),
        extras="".join(line for line, applies in extras if applies),
        program=spec.program,
        restart_s=spec.restart_s,
        user=spec.user,
    )


def socket_text(spec: SocketSpec) -> str:
    """Write a socket's unit file."""
    service = next(service for service in SERVICES.values() if spec.name in service.sockets)
    part = f"PartOf={service.name}\n" if service.socket_is_part else ""
    return _SOCKET.format(spec=spec, part=part, service=service.name)


def texts(service: str) -> dict[str, str]:
    """Give the unit files that belong to a service, its sockets' with it, by name."""
    spec = SERVICES[service]
    sockets = {name: socket_text(SOCKETS[name]) for name in spec.sockets}
    return {service: service_text(spec)} | sockets
