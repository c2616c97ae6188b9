"""pywa 4.5.0 (MIT, 2026), on starlette and uvicorn. Webhook path: /webhook

A WhatsApp library: same handshake and X-Hub-Signature-256 (SHA-256) as Messenger's.
Exercises both, by its own server. It knows no Messenger events: it hands the driver
the raw update. It drops an update whose body it had before (answer 200 all the same).
Expected: right token 200 and the challenge (mode not looked at); wrong token 403
"Forbidden"; signed POST 200 "ok"; wrongly signed 403; unsigned 401.
"""
import os

import uvicorn
from pywa import WhatsApp


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("ready", flush=True)


uvicorn.run = lambda app, **options: Server(uvicorn.Config(app, **options)).run()

wa = WhatsApp(
    verify_token=os.environ["INTEROP_VERIFY_TOKEN"],
    app_secret=os.environ["INTEROP_APP_SECRET"], webhook_endpoint="/webhook",
)


@wa.on_raw_update
def received(_client, update):
    for entry in update["entry"]:
        for event in entry.get("messaging", []):
            if "text" in event.get("message", {}):
                print("message", event["sender"]["id"], event["message"]["text"], flush=True)


wa.run(host="127.0.0.1", port=int(os.environ["INTEROP_PORT"]))
