"""What the Python drivers share: the environment and the one JSON line they print."""
import json
import os

URL = os.environ["INTEROP_GRAPH_URL"].rstrip("/")
PAGE_TOKEN = os.environ["INTEROP_PAGE_TOKEN"]
PAGE_ID = os.environ["INTEROP_PAGE_ID"]
USER_TOKEN = os.environ["INTEROP_USER_TOKEN"]
APP_ID = os.environ["INTEROP_APP_ID"]
APP_SECRET = os.environ["INTEROP_APP_SECRET"]
PSID = os.environ["INTEROP_PSID"]
UNKNOWN_PSID = "1"
FIELDS = ["messages", "messaging_postbacks"]


def shown(value):
    """The value without any secret in it."""
    if isinstance(value, dict):
        return {str(k): "<token>" if k in ("access_token", "input_token") else shown(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [shown(v) for v in value]
    if isinstance(value, str):
        for secret in (PAGE_TOKEN, USER_TOKEN, APP_SECRET):
            value = value.replace(secret, "<token>")
    return value


def run(name, calls):
    """Does the calls in order and prints what each returned; a call that raises
    ends the driver with the library's own exception (exit status 1)."""
    done = {}
    for call, do in calls:
        done[call] = shown(do())
    print(json.dumps({"client": name, "calls": done}))


def refused(kind, do, told):
    """The call must raise `kind`; `told` says what the library made of the error."""
    try:
        answer = do()
    except kind as error:
        return told(error)
    raise SystemExit(f"no {kind.__name__} raised, but: {shown(answer)}")
