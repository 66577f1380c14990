"""A mail server (aiosmtpd) on 127.0.0.1 that gives trouble. Argument: the folder for messages that it accepts, each in a
file of its own: 1.eml, 2.eml and so on. The one line on stdout is the port.

What a recipient gets is decided by the name before the @:
  fine     every message is accepted;
  gone     refused for good;
  grey     "come back later", twice;
  stall    the first report is accepted, but the server never says so;
  drop     the connection is closed after the first report, which is thrown away;
  full     the first report is refused for want of room at the moment.
"""

import asyncio
import collections
import pathlib
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])


class Handler:
    accepted = 0

    def __init__(self):
        self.seen = collections.Counter()
        self.reports = collections.Counter()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        self.seen[name] += 1
        if name == "gone":
            return "550 5.1.1 no such user here"
        if name == "grey" and self.seen[name] <= 2:
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].split("@")[0]
        # Notices are not what the trouble is about.
        is_notice = b"NOT DELIVERED" in envelope.original_content
        self.reports[name] += not is_notice
        first = self.reports[name] == 1 and not is_notice
        if name == "full" and first:
            return "452 4.3.1 no room at the moment"
        if name == "drop" and first:
            server.transport.abort()
            return "250 never heard"
        self.accepted += 1
        (folder / f"{self.accepted}.eml").write_bytes(envelope.original_content)
        if name == "stall" and first:
            await asyncio.sleep(3600)
        return "250 2.0.0 queued"


async def main():
    handler = Handler()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: SMTP(handler, hostname="localhost"), "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


asyncio.run(main())
