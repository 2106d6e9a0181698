"""An all-comment config.toml.edge.template of the shipped one's shape, in words of our own.

As there: banner sections, `##` headings inside blocks, `# #` explanations, alternatives side by
side, and lines that are invalid once they are uncommented.
"""

_LINE = "# " + "=" * 78

_SECTIONS: tuple[tuple[str, str], ...] = (
    ("Hostname", '# hostname = "my-device"\n'),
    ("Parent hostname", '# parent_hostname = "my-parent-device"\n'),
    ("Trust bundle cert", '# trust_bundle_cert = "file:///var/aziot/certs/trust-bundle.pem"\n'),
    ("Elevated Docker Permissions Flag", "# allow_elevated_docker_permissions = true\n"),
    ("Module identity cache preference", "# prefer_module_identity_cache = false\n"),
    ("Provisioning", "# auto_reprovisioning_mode = Dynamic\n"),
    ("Cloud Timeout and Retry Behavior", "# cloud_timeout_sec = 10\n# cloud_retries = 1\n"),
    (
        "Provisioning configuration",
        """## Manual provisioning with a connection string
# [provisioning]
# source = "manual"
# connection_string = "HostName=example.azure-devices.net;DeviceId=my-device;SharedAccessKey=YXppb3Q="

## Manual provisioning with a symmetric key
# [provisioning]
# source = "manual"
# iothub_hostname = "example.azure-devices.net"
# device_id = "my-device"
#
# [provisioning.authentication]
# method = "sas"
# device_id_pk = { value = "YXppb3Q=" }

## DPS provisioning with X.509
# [provisioning]
# source = "dps"
# global_endpoint = "https://global.azure-devices-provisioning.net/"
# id_scope = "0ab1234C5D6"
#
# [provisioning.attestation]
# method = "x509"
# registration_id = "my-device"
# identity_cert = "file:///var/aziot/certs/device-id.pem"
# identity_pk = "file:///var/aziot/secrets/device-id.key.pem"
# identity_pk = "pkcs11:object=device-id?pin-value=1234"

## DPS provisioning with TPM
# [provisioning]
# source = "dps"
# global_endpoint = "https://global.azure-devices-provisioning.net/"
# id_scope = "0ab1234C5D6"
#
# # The payload is optional.
# payload = { uri = "file:///var/aziot/identityd/payload.json" }
#
# [provisioning.attestation]
# method = "tpm"
# registration_id = "my-device"
""",
    ),
    (
        "Cert issuance",
        """## EST
# [cert_issuance.est]
# trusted_certs = ["file:///var/aziot/certs/est-ca.pem"]
#
# [cert_issuance.est.auth]
# # User name and password, or a certificate, or both.
# username = "username"
# password = "password"
#
# [cert_issuance.est.urls]
# default = "https://example.org/.well-known/est"
""",
    ),
    (
        "TPM",
        """# [tpm]
# # Which TPM to use; empty for the loader's own search.
# tcti = "swtpm:port=2321"
# auth_key_index = "0x00_01_00"
#
# [tpm.hierarchy_authorization]
# endorsement = "hello"
# owner = "world"
""",
    ),
    ("PKCS#11", '# [aziot_keys]\n# pkcs11_lib_path = "/usr/lib/libmypkcs11.so"\n'),
    (
        "Default Edge Agent",
        """# [agent]
# name = "edgeAgent"
# type = "docker"
# imagePullPolicy = "on-create"
#
# [agent.config]
# image = "mcr.microsoft.com/azureiotedge-agent:1.6"
#
# [agent.env]
# RuntimeLogLevel = "debug"
""",
    ),
    (
        "Daemon management and workload API endpoints",
        """# [connect]
# workload_uri = "unix:///var/run/iotedge/workload.sock"
# management_uri = "unix:///var/run/iotedge/mgmt.sock"
""",
    ),
    ("Edge Agent watchdog", '# [watchdog]\n# max_retries = "infinite"\n'),
    ("Edge CA certificate", '# [edge_ca]\n# cert = "file:///var/aziot/certs/edge-ca.pem"\n'),
    ("Edge CA Quickstart", "# [edge_ca]\n# auto_generated_edge_ca_expiry_days = 90\n"),
    (
        "Edge CA auto-renewal",
        '# [edge_ca.auto_renew]\n# rotate_key = true\n# threshold = "80%"\n# retry = "4%"\n',
    ),
    ("Image garbage collection", "# [image_garbage_collection]\n# enabled = true\n"),
    (
        "Moby runtime",
        '# [moby_runtime]\n# uri = "unix:///var/run/docker.sock"\n# network = "azure-iot-edge"\n',
    ),
)

TEMPLATE = "\n".join(f"{_LINE}\n# {title}\n{_LINE}\n#\n{body}" for title, body in _SECTIONS)
