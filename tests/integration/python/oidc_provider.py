"""An OpenID Connect provider that says whatever it is told to. The code is JSON: what the ID token claims (`claims`), how it
is signed (`alg`, and `key` "other" for one that is not published), what `/userinfo` says (`userinfo`), and the PKCE challenge.
Prints its port, and serves until its standard input ends."""

import base64
import hashlib
import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


KEYS = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("published", "other")}
SECRET = b"s3cret-of-the-client"


def signed(claims, alg, key):
    header = {"alg": alg, "typ": "JWT", "kid": "published"}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims)).encode()
    if alg == "none":
        signature = b""
    elif alg == "HS256":
        signature = hmac.digest(SECRET, text, "sha256")
    else:
        signature = KEYS[key].sign(text, padding.PKCS1v15(), hashes.SHA256())
    return text.decode() + "." + base64url(signature)


class Provider(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, body, status=200, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        issuer = f"http://127.0.0.1:{self.server.server_port}"
        if self.path == "/.well-known/openid-configuration":
            return self.answer({
                "issuer": issuer,
                "authorization_endpoint": issuer + "/authorize",
                "token_endpoint": issuer + "/token",
                "end_session_endpoint": issuer + "/leave",
                "userinfo_endpoint": issuer + "/userinfo",
                "jwks_uri": issuer + "/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            })
        if self.path == "/keys":
            public = KEYS["published"].public_key().public_numbers()
            key = {"kty": "RSA", "use": "sig", "kid": "published", "n": number(public.n), "e": number(public.e)}
            return self.answer({"keys": [key]})
        if self.path == "/userinfo":
            told = self.headers["Authorization"].removeprefix("Bearer ")
            return self.answer(json.loads(base64.urlsafe_b64decode(told)))
        return self.answer({}, 404)

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        told = json.loads(form["code"][0])
        proof = base64url(hashlib.sha256(form["code_verifier"][0].encode()).digest())
        if proof != told["challenge"]:
            return self.answer({"error": "invalid_grant"}, 400)
        if told.get("redirect"):
            return self.answer({}, 307, Location=told["redirect"])
        userinfo = json.dumps(told.get("userinfo", {"sub": "nobody"})).encode()
        tokens = {"access_token": base64.urlsafe_b64encode(userinfo).decode(), "token_type": "Bearer"}
        if "claims" in told:
            tokens["id_token"] = signed(told["claims"], told.get("alg", "RS256"), told.get("key", "published"))
        return self.answer(tokens)


server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
