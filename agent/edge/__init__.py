"""The IoT Edge runtime: its config.toml, its command line, its status and its identity service."""
