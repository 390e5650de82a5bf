"""What every test may use. Real servers: see ``tests/servers/fixtures.py``."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures"]

#: A machine that does much else draws its examples slowly; that says nothing of what they are drawn for.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("busy")
