"""Truto's published client against the simulator: lists, gets, deletes, and sees the documented errors."""

import asyncio
import json
import sys

import aiohttp
from truto_python_sdk import TrutoApi


async def status_of(call):
    """The status and headers of the error that a call ends with."""
    try:
        await call
    except aiohttp.ClientResponseError as error:
        return error.status, error.headers
    raise AssertionError("the call was answered")


async def users_of(client, account):
    return [user async for user in client.proxy_api.list("users", {"integrated_account_id": account, "limit": 200})]


async def main(url, token, account, only_limit=None):
    client = TrutoApi(token=token, base_url=url)
    query = {"integrated_account_id": account}
    if only_limit:
        # More calls than the quota has: the client repeats nothing, and its caller can read how long to wait.
        calls = [client.proxy_api.get("users", "1", dict(query)) for _ in range(6)]
        seen = [await status_of(call) for call in calls]
        limited = [headers for status, headers in seen if status == 429]
        assert limited and all(int(headers["ratelimit-reset"]) >= 1 for headers in limited), seen
        return
    users = await users_of(client, account)
    one = await client.proxy_api.get("users", users[3]["id"], dict(query))
    assert one["id"] == users[3]["id"], one
    removed = await client.proxy_api.delete("users", users[4]["id"], dict(query))
    assert removed == {"id": users[4]["id"]}, removed
    found = await client.integrated_accounts.get(account)
    assert found["status"] == "active", found
    tools = await client._get(f"integrated-account/{account}/tools", {"methods": "read"})
    assert {tool["method"] for tool in tools["result"]} == {"list", "get"}, tools
    assert (await status_of(client.proxy_api.get("users", "1", dict(query))))[0] == 404
    assert (await status_of(client.proxy_api.get("nothing", "1", dict(query))))[0] == 404
    assert (await status_of(client.proxy_api.get("users", users[3]["id"], {})))[0] == 400
    stranger = TrutoApi(token="another", base_url=url)
    assert (await status_of(stranger.proxy_api.get("users", "1", dict(query))))[0] == 401
    print(json.dumps({"user_ids": [user["id"] for user in users], "removed": users[4]["id"]}))


asyncio.run(main(*sys.argv[1:]))
