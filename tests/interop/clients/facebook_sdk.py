"""facebook-sdk 3.1.0 (Apache-2.0, 2018; the most used unofficial client).

Exercises GraphAPI: GET /me and /me/accounts, subscribed_apps, a message, the
messenger profile, debug_token, a batch, a refused send, the version header.
On the wire: version v2.8 (its default; it takes none above 3.1), token in the query (GET, DELETE) or in the form body
(POST), nested values as JSON text in the form, batch to /v2.8/ (trailing slash).
"""
import json

import facebook

from common import *

facebook.FACEBOOK_GRAPH_URL = URL + "/"
user, page = facebook.GraphAPI(USER_TOKEN), facebook.GraphAPI(PAGE_TOKEN)


def send(psid):
    return page.put_object(
        "me", "messages", messaging_type="RESPONSE",
        recipient=json.dumps({"id": psid}), message=json.dumps({"text": "hi from facebook-sdk"}),
    )


def batch():
    return page.request(page.version + "/", post_args={"include_headers": "false", "batch": json.dumps([
        {"method": "GET", "relative_url": "me?fields=id,name"},
        {"method": "GET", "relative_url": "me?fields=nonsense"},
    ])})


run("facebook-sdk 3.1.0", [
    ("accounts", lambda: user.get_connections("me", "accounts", fields="id,name,tasks")),
    ("all_accounts", lambda: [p["id"] for p in user.get_all_connections("me", "accounts", limit=1)]),
    ("permissions", lambda: sorted(user.get_permissions("me"))),
    ("me", lambda: page.get_object("me", fields="id,name,username")),
    ("subscribe", lambda: page.put_object(PAGE_ID, "subscribed_apps", subscribed_fields=",".join(FIELDS))),
    ("subscribed", lambda: page.get_connections(PAGE_ID, "subscribed_apps")),
    ("debug_token", lambda: page.debug_access_token(PAGE_TOKEN, APP_ID, APP_SECRET)),
    ("version", lambda: page.get_version()),
    ("app_token", lambda: page.get_app_access_token(APP_ID, APP_SECRET).split("|")[0]),
    ("send", lambda: send(PSID)),
    ("send_unknown", lambda: refused(facebook.GraphAPIError, lambda: send(UNKNOWN_PSID), lambda e: {
        "code": e.code, "subcode": e.result["error"].get("error_subcode"), "type": e.type})),
    ("profile_set", lambda: page.put_object("me", "messenger_profile", get_started=json.dumps({"payload": "GO"}))),
    ("profile", lambda: page.get_connections("me", "messenger_profile", fields="get_started")),
    ("batch", batch),
    ("unsubscribe", lambda: page.delete_object(PAGE_ID + "/subscribed_apps")),
])
