"""What writes to a table again and again, as a collecting program does, until it is stopped."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pymysql

from tests.servers.mariadb import MariaDBServer
from tests.servers.postgres import PostgresServer

_PAUSE = 0.03


class Producer:
    """A thread that runs ``statement`` every 30 ms, on a connection of its own."""

    def __init__(self, server: PostgresServer | MariaDBServer, statement: str, database: str = "hr") -> None:
        self._server = server
        self._statement = statement
        self._database = database
        self._stopping = threading.Event()
        self._wrote = threading.Event()
        self._thread = threading.Thread(target=self._produce, daemon=True)
        self._thread.start()
        assert self._wrote.wait(10)

    def _produce(self) -> None:
        with self._connected() as connection:
            cursor = connection.cursor()
            while not self._stopping.wait(_PAUSE):
                cursor.execute(self._statement)
                self._wrote.set()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        if isinstance(self._server, MariaDBServer):
            connection: Any = self._server._connect()
        else:
            connection = psycopg.connect(
                self._server.dsn(self._database), autocommit=True, application_name=f"producer {id(self)}"
            )
        with contextlib.suppress(psycopg.OperationalError, pymysql.err.OperationalError):  # the server may be stopped
            yield connection
        connection.close()

    def stop(self) -> None:
        """Returns when it wrote for the last time, and the server has counted that."""
        self._stopping.set()
        self._thread.join()
        if isinstance(self._server, PostgresServer):
            question = f"SELECT 1 FROM pg_stat_activity WHERE application_name = 'producer {id(self)}'"
            with contextlib.suppress(psycopg.OperationalError):
                while self._server.execute(question):
                    pass


class Producers:
    """The program that is to be paused, and the one that goes on."""

    def __init__(
        self, server: PostgresServer | MariaDBServer, *, main: str, control: str, database: str = "hr"
    ) -> None:
        self._made = {"main": main, "control": control}
        self._server, self._database = server, database
        self._running: dict[str, Producer] = {}

    def start(self, *names: str) -> None:
        for name in names or self._made:
            if name not in self._running:
                self._running[name] = Producer(self._server, self._made[name], self._database)

    def stop(self, *names: str) -> None:
        for name in names or tuple(self._running):
            if name in self._running:
                self._running.pop(name).stop()
