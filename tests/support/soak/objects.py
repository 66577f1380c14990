"""An S3-compatible server (moto) behind a proxy that fails as networks and object stores do."""

import base64
import hashlib
import http.client
import http.server
import io
import pathlib
import random
import socket
import subprocess
import sys
import threading
import time
import zipfile

import boto3

BUCKET = "evidence"
PREFIX = "rolecall"
# What can happen to a call while the store is in trouble.
FAULTS = ["refuse", "unavailable", "slow down", "cut the request", "damage the request", "cut the answer", "lose the answer", "stall"]


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A client may be killed in the middle of a call.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Objects:
    def __init__(self):
        script = pathlib.Path(__file__).resolve().parents[2] / "integration/python/object_store.py"
        self.process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.port = int(self.process.stdout.readline())
        for command in (f"bucket {BUCKET}", f"versions {BUCKET}"):
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "ok\n"
        # The faults of the moment, and how likely each call meets one of them.
        self.faults, self.odds = [], 0.0
        self.met = dict.fromkeys(FAULTS, 0)
        proxy = Listener(("127.0.0.1", 0), self.handler())
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{proxy.server_address[1]}"

    def trouble(self, faults, odds):
        self.faults, self.odds = faults, odds

    def calm(self):
        self.trouble([], 0)

    def handler(self):
        objects = self

        class Proxy(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def pass_on(self):
                length = int(self.headers.get("content-length", 0))
                fault = random.choice(objects.faults) if random.random() < objects.odds else None
                if fault:
                    objects.met[fault] += 1
                if fault == "refuse":
                    return self.cut()
                if fault == "cut the request":
                    # A store keeps nothing of a request that is not whole.
                    self.rfile.read(length // 2)
                    return self.cut()
                body = self.rfile.read(length)
                if fault in ("unavailable", "slow down"):
                    return self.say(503, "ServiceUnavailable" if fault == "unavailable" else "SlowDown")
                if fault == "damage the request" and body:
                    place = random.randrange(len(body))
                    body = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
                # The server believes wrong checksums; S3 does not.
                promised = self.headers.get("x-amz-checksum-sha256")
                if promised and base64.b64encode(hashlib.sha256(body).digest()).decode() != promised:
                    return self.say(400, "BadDigest")
                if fault == "stall":
                    time.sleep(random.uniform(1, 40))
                connection = http.client.HTTPConnection("127.0.0.1", objects.port)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    answer = connection.getresponse()
                    content = answer.read()
                except OSError:
                    return self.cut()
                finally:
                    connection.close()
                if fault == "lose the answer":
                    return self.cut()
                headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("connection", "transfer-encoding")]
                if self.command != "HEAD" and not any(name.lower() == "content-length" for name, _ in headers):
                    headers.append(("content-length", str(len(content))))
                if fault == "cut the answer":
                    content = content[: len(content) // 2]
                self.give(answer.status, headers, content)
                if fault == "cut the answer":
                    self.cut()

            def say(self, status, code):
                content = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
                self.give(status, [("content-type", "application/xml"), ("content-length", str(len(content)))], content)

            def give(self, status, headers, content):
                try:
                    self.send_response_only(status)
                    for name, value in headers:
                        self.send_header(name, value)
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(content)
                except OSError:
                    self.close_connection = True  # Nobody waits any more.

            def cut(self):
                self.close_connection = True
                try:
                    self.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # The other side was faster.

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = pass_on

        return Proxy

    def settings(self):
        """The configuration of a daemon, past which nothing else knows of the proxy."""
        return (
            f'url = "s3://{BUCKET}/{PREFIX}"\nspool = "spool"\n[evidence.s3]\nregion = "us-east-1"\nendpoint = "{self.url}"\n'
            'access_key_id = { env = "S3_KEY" }\nsecret_access_key = { env = "S3_KEY" }\n'
        )

    def client(self):
        return boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    def keys(self, below):
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/{below}")
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def read(self, key):
        return self.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def versions(self):
        """How many versions each object has, and which were removed."""
        count, removed = {}, []
        for page in self.client().get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=PREFIX):
            for found in page.get("Versions", []):
                count[found["Key"]] = count.get(found["Key"], 0) + 1
            removed += [found["Key"] for found in page.get("DeleteMarkers", [])]
        return count, removed

    def bags(self):
        """The files of each bag, by its name."""
        for key in self.keys("bags/"):
            with zipfile.ZipFile(io.BytesIO(self.read(key))) as bag:
                name = key.rsplit("/", 1)[1].removesuffix(".zip")
                yield name, {path.split("/", 1)[1]: bag.read(path) for path in bag.namelist() if not path.endswith("/")}

    def ledger(self):
        parts = [key for key in self.keys("log/ledger.jsonl/") if not key.endswith("/whole")]
        return b"".join(self.read(key) for key in sorted(parts)).decode()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
