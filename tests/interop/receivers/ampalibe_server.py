"""ampalibe 1.1.9 (MIT, 2023), on fastapi and uvicorn. Webhook path: /

A receiver with faults, as they are met in the field: for a wrong token it answers
200 with the JSON text "Failed to verify token" (with the quotes); it does not look
at hub.mode, nor at any signature. Exercises its handshake and its events.
It reads its settings from a module `conf` and keeps files in the working directory:
INTEROP_SCRATCH, or a new directory.
"""
import os
import sys
import tempfile
import types

os.chdir(os.environ.get("INTEROP_SCRATCH") or tempfile.mkdtemp())
sys.modules["conf"] = conf = types.ModuleType("conf")
conf.Configuration = types.SimpleNamespace(
    ADAPTER="SQLITE", DB_FILE="ampalibe.db", ACCESS_TOKEN="unused", APP_URL=None,
    VERIF_TOKEN=os.environ["INTEROP_VERIFY_TOKEN"],
    APP_HOST="127.0.0.1", APP_PORT=int(os.environ["INTEROP_PORT"]),
)
import ampalibe
import uvicorn


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("ready", flush=True)


uvicorn.run = lambda app, **options: Server(uvicorn.Config(app, **options, access_log=False)).run()


@ampalibe.command("/")
def main(sender_id, cmd, **_rest):
    print(f"message {sender_id} {cmd}\n", end="", flush=True)  # from a thread: one write


ampalibe.init.run()
