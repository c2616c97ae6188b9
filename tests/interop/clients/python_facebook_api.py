"""python-facebook-api 0.24.0 (Apache-2.0, 2026).

Exercises GraphAPI: GET /me and /me/accounts, the Page's own token, subscribed_apps,
a message, debug_token, an app token, several objects at once, a refused send.
On the wire: version v24.0, appsecret_proof beside every token (query of GET and
DELETE, form of POST); nested values as JSON text in the form; `fields` may be empty;
/v24.0?ids= without a slash; app token from the unversioned /oauth/access_token.
"""
import json

from pyfacebook import FacebookError, GraphAPI

from common import *


def graph(token):
    return GraphAPI(app_id=APP_ID, app_secret=APP_SECRET, access_token=token,
                    base_url=URL + "/", access_token_url=URL + "/oauth/access_token")


user, page = graph(USER_TOKEN), graph(PAGE_TOKEN)


def send(psid):
    return page.post_object("me", "messages", data={
        "recipient": json.dumps({"id": psid}), "message": json.dumps({"text": "hi from pyfacebook"}),
        "messaging_type": "RESPONSE"})


run("python-facebook-api 0.24.0", [
    ("accounts", lambda: user.get_full_connections("me", "accounts", fields="id,name,access_token", limit=1)),
    ("page_token", lambda: user.exchange_page_access_token(PAGE_ID) == PAGE_TOKEN),
    ("long_lived", lambda: sorted(user.exchange_long_lived_user_access_token())),
    ("me", lambda: page.get_object("me", fields="id,name,link")),
    ("me_bare", lambda: page.get_object("me")),
    ("objects", lambda: page.get_objects(PAGE_ID, fields="id,name")),
    ("subscribe", lambda: page.post_object(PAGE_ID, "subscribed_apps", data={"subscribed_fields": ",".join(FIELDS)})),
    ("subscribed", lambda: page.get_connection(PAGE_ID, "subscribed_apps")),
    ("debug_token", lambda: page.debug_token(PAGE_TOKEN, page.get_app_token()["access_token"])),
    ("send", lambda: send(PSID)),
    ("send_unknown", lambda: refused(FacebookError, lambda: send(UNKNOWN_PSID), lambda e: {
        "code": e.code, "subcode": getattr(e, "error_subcode", None), "type": e.type})),
    ("profile_set", lambda: page.post_object("me", "messenger_profile", data={
        "get_started": json.dumps({"payload": "GO"})})),
    ("profile", lambda: page.get_connection("me", "messenger_profile", fields="get_started")),
    ("unsubscribe", lambda: page.delete_object(PAGE_ID, "subscribed_apps")),
])
