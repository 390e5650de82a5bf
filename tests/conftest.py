"""What every test may use. Real servers: see ``tests/servers/fixtures.py``."""

pytest_plugins = ["tests.servers.fixtures"]
