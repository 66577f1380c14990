"""A mail server (aiosmtpd) on 127.0.0.1 for one test. Arguments: folder of server.pem and server.key, AUTH mechanism,
password.

STARTTLS comes first, then authentication as the user `rolecall`, then mail. The one line on stdout is the port. The
messages go beside the certificate: 1.eml, 2.eml and so on, and what is known of each into 1.json, 2.json.
"""

import asyncio
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

folder, mechanism, password = pathlib.Path(sys.argv[1]), *sys.argv[2:]
others = {"LOGIN", "PLAIN"} - {mechanism}


def authenticate(server, session, envelope, used, data):
    right = isinstance(data, LoginPassword) and data.login == b"rolecall" and data.password == password.encode()
    session.used = used
    # Not handled: aiosmtpd then answers 535 itself.
    return AuthResult(success=right, handled=False)


class Handler:
    received = 0

    async def handle_DATA(self, server, session, envelope):
        self.received += 1
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "mechanism": session.used,
        }
        (folder / f"{self.received}.eml").write_bytes(envelope.original_content)
        (folder / f"{self.received}.json").write_text(json.dumps(told))
        return "250 2.0.0 queued as test-1"


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")

    handler = Handler()

    def server():
        return SMTP(
            handler, hostname="localhost", tls_context=tls, require_starttls=True, authenticator=authenticate,
            auth_required=True, auth_exclude_mechanism=others,
        )

    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


asyncio.run(main())
