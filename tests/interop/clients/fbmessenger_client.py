"""fbmessenger 6.0.0 (Apache-2.0, 2019; what the Rasa chatbot framework sends with).

Exercises MessengerClient: subscribe, user profile, a message, a sender action,
the messenger profile, a refused send.
On the wire: version v2.12, token and appsecret_proof in the query, JSON bodies;
DELETE with a JSON body; subscribed_apps without subscribed_fields and with an
empty body (Graph refuses that since v3.2). The library raises nothing: it hands
back the JSON of the answer, errors too.
"""
from fbmessenger import MessengerClient
from fbmessenger.elements import Text

from common import *

client = MessengerClient(PAGE_TOKEN, app_secret=APP_SECRET)
client.graph_url = URL + "/v2.12"


def outcome(answer):
    error = answer.get("error")
    return {"code": error["code"], "subcode": error.get("error_subcode")} if error else answer


def text(psid):
    return outcome(client.send(Text("hi from fbmessenger").to_dict(), psid))


run("fbmessenger 6.0.0", [
    ("subscribe", lambda: outcome(client.subscribe_app_to_page())),
    ("user", lambda: outcome(client.get_user_data(PSID, fields=["first_name", "last_name"]))),
    ("send", lambda: text(PSID)),
    ("send_unknown", lambda: text(UNKNOWN_PSID)),
    ("typing", lambda: outcome(client.send_action("typing_on", PSID))),
    ("profile_set", lambda: outcome(client.set_messenger_profile({"get_started": {"payload": "GO"}}))),
    ("domains_set", lambda: outcome(client.update_whitelisted_domains("https://example.com"))),
    ("domains_delete", lambda: outcome(client.remove_whitelisted_domains())),
    ("profile_delete", lambda: outcome(client.delete_get_started())),
])
