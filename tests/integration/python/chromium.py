"""Chromium without a window, driven through the pipe of its DevTools protocol."""

import base64
import json
import os
import select
import signal
import subprocess
import tempfile
import time

# Seconds that any one answer may take.
PATIENCE = 90


class Chromium:
    def __init__(self):
        # Helpers of Chromium may still write there while it ends.
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command_out, command_in = os.pipe()
        answer_out, answer_in = os.pipe()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        flags += ["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]
        flags += ["--remote-debugging-pipe", f"--user-data-dir={self.profile.name}"]
        # The protocol wants its pipes as descriptors 3 and 4; the shell puts them there.
        shell = f'exec chromium "$@" 3<&{command_out} 4>&{answer_in}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *flags],
            pass_fds=(command_out, answer_in),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(command_out)
        os.close(answer_in)
        self.commands, self.answers = command_in, answer_out
        self.number, self.rest, self.events = 0, b"", []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # The helpers it started are of its group, and nobody else is.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.profile.cleanup()

    def receive(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise EOFError("Chromium ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **params):
        """Sends a command and gives its result; what happens meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data) :]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, address):
        """A page with this address, loaded. Its requests, scripts and dialogues are among the events."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Debugger", "Log"):
            self.send(f"{domain}.enable", session)
        self.events.clear()
        self.send("Page.navigate", session, url=address)
        while "Page.loadEventFired" not in (event["method"] for event in self.events):
            event = self.receive()
            self.events.append(event)
            if event["method"] == "Page.javascriptDialogOpening":
                self.send("Page.handleJavaScriptDialog", session, accept=False)
        return session

    def look(self, session, width, scheme, media="screen"):
        """Lays the page out at a width in CSS pixels, in the light or the dark scheme."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", session, **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", session, media=media, features=features)

    def run(self, session, script):
        """The value of a script's last expression, a promise's when it is kept."""
        result = self.send("Runtime.evaluate", session, expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def pdf(self, session):
        """The page as it prints on A4, as bytes."""
        inches = {"paperWidth": 8.27, "paperHeight": 11.69}
        return base64.b64decode(self.send("Page.printToPDF", session, preferCSSPageSize=True, **inches)["data"])
