"""A scripted agent over the Model Context Protocol's own Python client: calls tools in order and tells what came of it.

Reads one JSON object from standard input: how to reach the server (`command`, or `url` and `token`), the client's `mode`
(`auto`, `legacy` or a revision), what the person behind the agent does when asked (`person`: null where nobody can be asked,
`decline`, `cancel`, or a text that is typed), and the `steps`. An argument "$2.plan.plan_id" is taken from the answer of
step 2.
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp_types import ElicitResult


def filled(value, answers):
    """A value with the references to earlier answers replaced."""
    if isinstance(value, dict):
        return {key: filled(inner, answers) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, answers) for inner in value]
    if isinstance(value, str) and value.startswith("$"):
        step, *path = value[1:].split(".")
        found = answers[int(step)]["answer"]
        for name in path:
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found
    return value


def target(script):
    """The way to the server."""
    if "url" in script:
        headers = {"Authorization": f"Bearer {script['token']}"} if script.get("token") else {}
        return streamable_http_client(script["url"], http_client=create_mcp_http_client(headers=headers))
    command, *arguments = script["command"]
    environment = {name: os.environ[name] for name in os.environ if name.startswith("TEST_")}
    return StdioServerParameters(command=command, args=arguments, env=environment, cwd=os.getcwd())


async def main():
    script = json.load(sys.stdin)
    questions = []

    async def ask(_context, request):
        questions.append({"message": request.message, "schema": request.requested_schema})
        person = script["person"]
        if person in ("decline", "cancel"):
            return ElicitResult(action=person)
        return ElicitResult(action="accept", content={"confirmation": person})

    callback = ask if script.get("person") is not None else None
    answers = []
    async with Client(target(script), mode=script.get("mode", "auto"), elicitation_callback=callback) as client:
        tools = (await client.list_tools()).tools
        for step in script["steps"]:
            try:
                result = await client.call_tool(step["tool"], filled(step.get("arguments", {}), answers))
            except Exception as error:  # what the protocol refuses is an answer of its own
                answers.append({"refused": str(error)})
                continue
            text = result.content[0].text
            structured = result.structured_content
            answers.append({"failed": result.is_error, "answer": structured or json.loads(text), "text": text})
        print(
            json.dumps(
                {
                    "protocol": client.protocol_version,
                    "instructions": client.instructions,
                    "tools": [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools],
                    "questions": questions,
                    "answers": answers,
                }
            )
        )


asyncio.run(main())
