"""edge-provisioner: makes a device with a TPM 2.0 into a provisioned Azure IoT Edge device."""

__version__ = "0.1.0"
