"""An honest stand-in of the Azure IoT Edge runtime, for tests only.

`machine.build_machine(root)` makes a machine below a scratch root: users, directories, unit files
and the programs iotedge, systemctl, journalctl and udevadm. `with machine:` switches it on: a
supervisor stands for systemd and runs real processes for the daemons. The same daemons and the same
`iotedge` run on a booted machine under systemd itself (root "/"): tests/vm/runtime makes packages of
them. What is seen from outside was observed on runtime 1.6, or read in its source where that was
silent. Times of the runtime's own (restart delays, polls, back-off) are multiplied by `time_scale`;
nothing sleeps on the test's side.

Faults are keys of var/lib/standin/faults.json, read again at every use; `machine.fault(cloud="401")`
switches one, None takes it away.

time_scale        factor for the runtime's own waits, 0.05 where not given
not_root          true: `iotedge config apply` is run by somebody else than root
cloud             ok | 401 (not enrolled: no challenge) | disabled | throttled | hanging | 500 |
                  unreachable | clock-behind | clock-hour-behind
hub               ok | refuses | unreachable
est               "401": the EST server refuses an X.509 device
hub_name          the hub that a registration assigns
enrolled          {"id_scope": ..., "registration_ids": {id: device id}, "endorsement_keys": [base64 or
                  hex SHA-256 of a TPM2B_PUBLIC]}; what it leaves out is not looked at
tpm_auth          {"owner": ..., "endorsement": ...}: passwords that the TPM's hierarchies have
real_tpm          true: tpmd uses its TPM in earnest: EK and SRK are read, or made, and the device's key
                  is kept and used there (commands on the node; not for another TCTI)
payload           "denied": the payload is unreadable, where file modes cannot say so (not as root)
engine            "down": the engine is stopped, at once and at the next start; None starts it again
containers        names of Edge module containers that exist (the host name guard looks at them)
apply_hang        before-write | mid-write | before-restart | mid-restart: `config apply` waits there
                  until the fault is gone, and creates var/lib/standin/apply-at-<point> when it does
apply_delay_s     seconds (not scaled) that apply waits before the restart, with the same mark
broken            name of a daemon ("keyd") that ends at each start
restarts_forgotten  true: NRestarts is 0 after a restart that took the sockets along, as with systemd 257
udev              "dead": udevd does not answer
identity_version  the version that the identity daemons log

Other states are made with the machine's own means: `systemctl mask`, kill -9 of a daemon, file modes,
a node plugged, replaced or taken away, a rule in etc/udev/rules.d, another etc/hostname.
"""
