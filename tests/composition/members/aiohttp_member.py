"""aiohttp, which undoes content codings in its own parser."""
import asyncio

import common
from aiohttp import web

seen = []


async def take(request):
    if request.path == "/jury-count":
        return web.json_response({"count": len(seen)})
    seen.append(None)
    views = [request.path, common.show(dict(request.query)), common.show(dict(request.headers)), common.show(dict(request.cookies))]
    try:
        if request.content_type.startswith(("multipart/", "application/x-www-form-urlencoded")):
            # Before anything else reads the content: a multipart one is read from the connection.
            form = await request.post()
            views += [f"{name} {value if isinstance(value, (str, bytes)) else (value.filename, value.file.read())}" for name, value in form.items()]
        else:
            body = await request.read()
            if request.content_type.endswith(("/json", "+json")):
                views.append(common.show(await request.json()))
            views += common.parsed(body, request.content_type, request.charset)
    except Exception:  # noqa: BLE001 # what it cannot parse it does not see
        pass
    return web.json_response({"length": request.content_length, "views": views}, headers={"x-sample": request.headers["x-sample"]})


async def main():
    app = web.Application(client_max_size=1 << 25)
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


common.end_with_parent()
asyncio.run(main())
