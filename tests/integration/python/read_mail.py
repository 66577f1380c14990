"""Prints the headers and parts of a mail as JSON, and fails at its first defect. Binary parts come as base64."""

import base64
import email
import email.policy
import json
import sys

with open(sys.argv[1], "rb") as file:
    mail = email.message_from_bytes(file.read(), policy=email.policy.strict)
parts = []
for part in mail.walk():
    if part.defects:
        sys.exit(f"{part.get_content_type()}: {part.defects}")
    for name, value in part.items():
        if value.defects:
            sys.exit(f"{name}: {value.defects}")
    if part.is_multipart():
        continue
    content = part.get_content()
    if isinstance(content, bytes):
        content = base64.b64encode(content).decode()
    parts.append({"type": part.get_content_type(), "file": part.get_filename(), "content": content})
structure = [part.get_content_type() for part in mail.walk()]
headers = [[name, str(value)] for name, value in mail.items()]
json.dump({"headers": headers, "structure": structure, "parts": parts}, sys.stdout)
