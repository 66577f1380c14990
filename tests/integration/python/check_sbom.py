"""Validates a CycloneDX 1.6 file with CycloneDX's own library, and looks for components that must be in it."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1]).read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
assert error is None, error
bom = json.loads(text)
assert bom["metadata"]["component"]["name"] == "rolecall"
scopes = {component["name"]: component["scope"] for component in bom["components"]}
for name in ("tokio", "rustls", "ring", "libsqlite3-sys", "rolecall-simulator"):
    assert scopes[name] == "required", name
assert scopes["cc"] == "excluded" and "insta" not in scopes
references = {component["bom-ref"] for component in bom["components"]}
for dependency in bom["dependencies"]:
    assert set(dependency["dependsOn"]) <= references, dependency
