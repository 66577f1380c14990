"""The mail server and the database server of `tests/soak`, each of which can go away and come back."""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

SMTP = textwrap.dedent("""
    import asyncio, pathlib, sys, uuid
    from aiosmtpd.smtp import SMTP
    class Handler:
        async def handle_DATA(self, server, session, envelope):
            # Whole or not at all, also if the server is killed.
            part = pathlib.Path(sys.argv[1], ".part")
            part.write_bytes(envelope.original_content)
            part.rename(pathlib.Path(sys.argv[1], uuid.uuid4().hex))
            return "250 ok"
    async def main():
        listener = await asyncio.get_running_loop().create_server(
            lambda: SMTP(Handler(), hostname="localhost"), "127.0.0.1", int(sys.argv[2]))
        print(listener.sockets[0].getsockname()[1], flush=True)
        await listener.serve_forever()
    asyncio.run(main())
""")


class Mail:
    """A mail server that keeps every message as a file."""

    def __init__(self, folder):
        self.folder, self.port = folder, 0
        folder.mkdir()
        self.start()

    def start(self):
        command = [sys.executable, "-c", SMTP, self.folder, str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()

    def messages(self):
        return [file.read_bytes() for file in self.folder.iterdir() if file.name != ".part"]


class Postgres:
    """A PostgreSQL cluster in a folder of its own, not as root."""

    PASSWORD = "p@ss/w:rd? #1"

    def __init__(self):
        self.programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        made = [*self.as_user, "mktemp", "-d", f"{tempfile.gettempdir()}/rolecall-soak-postgres-XXXXXX"]
        self.folder = pathlib.Path(subprocess.run(made, cwd="/", capture_output=True, text=True, check=True).stdout.strip())
        self.data = self.folder / "data"
        password = self.folder / "password"
        self.run("sh", "-c", f'umask 077; printf %s "$1" >{password}', "sh", self.PASSWORD)
        self.run(
            self.programs / "initdb", "-D", self.data, "-A", "scram-sha-256", "-U", "postgres", f"--pwfile={password}",
            "--locale=C.UTF-8", "-E", "UTF8", "--no-sync",
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        # The machine does not fail here, only the server: what it wrote is there when it starts again.
        settings = f"listen_addresses='127.0.0.1'\nport={self.port}\nunix_socket_directories='{self.folder}'\nfsync=off\nmax_connections=100\n"
        self.run("sh", "-c", f'printf %s "$1" >>{self.data}/postgresql.conf', "sh", settings)
        self.start()

    def run(self, *command):
        subprocess.run([*self.as_user, *map(str, command)], cwd="/", stdout=subprocess.DEVNULL, check=True)

    def start(self):
        self.run(self.programs / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.folder / "log", "start")

    def stop(self):
        """Stops it as a crash would."""
        self.run(self.programs / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def sql(self, statement):
        """What a statement answers, row by row."""
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres", "-qAtc", statement]
        environment = {**os.environ, "PGPASSWORD": self.PASSWORD}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def cut(self):
        """Cuts connections: all, those in a transaction, or each with a chance of one half."""
        which = random.choice(["true", "state <> 'idle'", "random() < 0.5"])
        self.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL AND {which}"
        )

    def freeze(self, seconds):
        """Lets the whole server stand still."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True, check=True)
        processes = [first, *map(int, listed.stdout.split())]
        for what, pause in ((signal.SIGSTOP, seconds), (signal.SIGCONT, 0)):
            for process in processes:
                try:
                    os.kill(process, what)
                except ProcessLookupError:
                    pass  # Its client has gone.
            time.sleep(pause)

    def remove(self):
        try:
            self.stop()
        except subprocess.CalledProcessError:
            pass  # It does not run.
        shutil.rmtree(self.folder, ignore_errors=True)
