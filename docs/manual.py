"""The manual pages, from the command line, the settings and the codes."""  # noqa: INP001

from collections.abc import Iterator

from agent import __version__
from agent.codes import Code, ExitCode, Phase
from agent.codes.catalogue import all_codes, without_facts
from agent.settings import reference
from docs import roff
from docs.command_line import CommandLine, Option, Takes, Verb

_SOURCE = f"edge-provisioner {__version__}"
_COMMAND = """\
## Name

edge-provisioner - makes a device with a TPM 2.0 a provisioned Azure IoT Edge device, and keeps it one

## Synopsis

`edge-provisioner` [`--settings` <file>] [`--root` <dir>] <verb> ...

## Description

{about}

It makes the TPM's keys, derives the registration id, gives the runtime's user the TPM, writes
`/etc/aziot/config.toml`, runs `iotedge config apply`, proves that it worked, and goes on watching. It never
clears a TPM, touches a key that is not its own, takes over a device that somebody provisioned in another
way, or gives up an identity that works, unless it is told to.

The service `edge-provisioner.service` does this by itself. It starts as soon as there is a settings file;
see `edge-provisioner.toml(5)`. Two lines are enough:

```
# /etc/edge-provisioner/agent.toml
[dps]
id_scope = "0ne00112233"
```

## Verbs

{verbs}
## Options

These stand before or after the verb.

{options}
## Exit status

{exits}
## Phases

{phases}
## The service

`systemctl status edge-provisioner`
: Shows the phase, the reason and what to do in the line `Status:`.

`journalctl -x -u edge-provisioner`
: Shows what happened, with the explanation and the remedy below each event. Events carry their code as
`EDGE_PROVISIONER_CODE` and their facts as fields with the same prefix.

`systemctl reload edge-provisioner`
: Reads the settings and looks at the device now.

`systemctl stop edge-provisioner`
: Ends the watch, after a running `iotedge config apply` has ended. It stays stopped until the next boot,
`systemctl start`, or a change of a settings file.

A device that is held for a person has a service that runs: it goes on looking, and goes on by itself once
the reason is gone.

## Credentials

Passwords are systemd credentials, never settings: `tpm-owner-auth`, `tpm-endorsement-auth` and
`est-password`. Each is a file of that name in `/etc/credstore` (mode 0600), or comes from a drop-in of the
unit with `LoadCredentialEncrypted=` or `SetCredential=` (`systemd.exec(5)`). A final newline is not part of
it.

## Files

`/etc/edge-provisioner/agent.toml`
: The settings; drop-ins and their order are in `edge-provisioner.toml(5)`.

`/usr/share/doc/edge-provisioner/examples/agent.toml`
: Every setting with its meaning, commented out.

`/var/lib/edge-provisioner`
: What the agent wrote, which TPM and which identity this device has.

`/run/edge-provisioner/status.json`
: What the last look found; `edge-provisioner status` reads it.

`/etc/udev/rules.d/tpmaccess.rules`
: The rule that gives the TPM to user `aziottpm`, put there once that user exists. It stays when the package
is removed, because the runtime needs it.

## Codes

`edge-provisioner explain` <code> tells what each means and what to do.

{codes}
## See also

`edge-provisioner.toml(5)`, `journalctl(1)`, `systemd.exec(5)`, `udev(7)`
"""
_SETTINGS = """\
## Name

edge-provisioner.toml - settings of edge-provisioner

{body}
## See also

`edge-provisioner(8)`, `systemd.exec(5)`
"""
_EXITS = {
    ExitCode.DONE: "Done, or provisioned.",
    ExitCode.FAILED: "Failed, or degraded.",
    ExitCode.USAGE: "A wrong command line, or settings with a problem.",
    ExitCode.UNFINISHED: "Waiting, provisioning or unconfigured.",
    ExitCode.HELD: "Held: a person has to decide or do something.",
}
_PHASES = {
    Phase.UNCONFIGURED: "No settings say where to provision to.",
    Phase.WAITING: "Something is missing that comes by itself: the network, the TPM, the runtime.",
    Phase.PROVISIONING: "On the way.",
    Phase.PROVISIONED: "The identity service answers with a device, and the runtime is up.",
    Phase.DEGRADED: "Provisioned, or on the way, and something does not work.",
    Phase.HELD: "Only a person can go on from here; nothing is changed until then.",
}


def command(line: CommandLine) -> str:
    """Give edge-provisioner(8)."""
    text = _COMMAND.format(
        about=line.about,
        verbs="".join(part for verb in line.verbs for part in _verb(verb)),
        options="".join(_definition(_usage(option), option.help) for option in line.options),
        exits="".join(_definition(f"`{int(code)}`", _EXITS[code]) for code in ExitCode),
        phases="".join(_definition(f"`{phase}`", _PHASES[phase]) for phase in Phase),
        codes="".join(_definition(f"`{code.name}` ({code.phase})", _summary(code)) for code in all_codes()),
    )
    return roff.page("edge-provisioner", 8, _SOURCE, text)


def _verb(verb: Verb) -> Iterator[str]:
    words = [_usage(one) for one in verb.arguments] + [f"[{_usage(one)}]" for one in verb.options]
    yield f"### {' '.join([f'`{verb.name}`', *words])}\n\n{verb.help[:1].upper()}{verb.help[1:]}.\n\n"
    for one in (*verb.arguments, *verb.options):
        yield _definition(_usage(one), one.help)


def _usage(option: Option) -> str:
    """Give an option as a person writes it: what stands for something in italics."""
    words = option.value.split("|")
    value = "|".join(f"<{word.lower()}>" if word.isupper() else f"`{word}`" for word in words)
    names = ", ".join(f"`{name}`" for name in option.names)
    return names if option.takes is Takes.NOTHING else f"{names} {value}".strip()


def _definition(term: str, meaning: str) -> str:
    return f"{term}\n: {meaning}\n\n"


def _summary(code: Code) -> str:
    return without_facts(code.summary, code)


def settings() -> str:
    """Give edge-provisioner.toml(5), from the page in docs/."""
    _title, _generated, body = reference.page().split("\n\n", 2)
    text = _SETTINGS.format(body=f"## Description\n\n{body}").replace("\n### `", "\n\n### `")
    return roff.page("edge-provisioner.toml", 5, _SOURCE, text)
