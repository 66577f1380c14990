"""An HTTP proxy that ends TLS itself and passes every tunnel on to one server on this machine.

Arguments: the certificate and the key in PEM, the port of the server, and `user:password` if the proxy asks for them.
Prints its port, and then a line for each request that a client made of it.
"""

import asyncio, base64, ssl, sys

certificate, key, port = sys.argv[1:4]
wanted = "Basic " + base64.b64encode(sys.argv[4].encode()).decode() if len(sys.argv) > 4 else None
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def tunnel(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    print(head[0], flush=True)
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    given = {name.lower(): value for name, value in headers.items()}.get("proxy-authorization")
    if not head[0].startswith("CONNECT ") or given != wanted:
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        return
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    await writer.drain()
    await writer.start_tls(tls)
    there, back = await asyncio.open_connection("127.0.0.1", int(port))
    await asyncio.gather(pipe(reader, back), pipe(there, writer))


async def main():
    server = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
