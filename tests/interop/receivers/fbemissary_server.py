"""fbemissary 0.0.2 (Apache-2.0, 2017), on aiohttp 3. Webhook path: /webhook

Exercises the library's WebhookReceiver (handshake; X-Hub-Signature, SHA-1) and its
WebhookWrangler and models (messages; other events it logs and answers 200).
Expected: right token 200 and the challenge; wrong token or mode 403, empty;
signed POST 200; wrongly signed or unsigned POST 403.
"""
import asyncio
import os

from aiohttp import web
from fbemissary.models import ReceivedMessage
from fbemissary.webhook import WebhookReceiver, WebhookWrangler


def received(_page_id, events):
    for event in events:
        if isinstance(event, ReceivedMessage) and event.text:
            print("message", event.sender_id, event.text, flush=True)


async def main():
    receiver = WebhookReceiver(
        os.environ["INTEROP_APP_SECRET"], os.environ["INTEROP_VERIFY_TOKEN"],
        WebhookWrangler(received), loop=asyncio.get_running_loop(),
    )
    app = web.Application()
    receiver.setup_routes("/webhook", app.router)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["INTEROP_PORT"])).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
