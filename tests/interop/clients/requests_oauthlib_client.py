"""requests-oauthlib 2.0.0 (ISC; on oauthlib and requests), with its fix for Facebook.

Logs a person in: the dialog's address with a state, the answer of the redirect checked and exchanged,
the Pages and permissions read with the token; then a code that is exchanged twice. This driver is the
browser in between.
On the wire: the dialog with response_type, client_id, redirect_uri, scope and state; the code as a
POSTed form with grant_type=authorization_code, client_id, client_secret and redirect_uri; the token in
the header Authorization: Bearer.
"""
import json
import os
import re
import sys
from html import unescape

# It demands HTTPS otherwise, which a server on this machine does not have.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session
from requests_oauthlib.compliance_fixes import facebook_compliance_fix

env = os.environ
graph = env["INTEROP_GRAPH_URL"].rstrip("/")
secrets = [env["INTEROP_APP_SECRET"]]
scope = ["pages_show_list", "pages_messaging", "pages_read_engagement"]


def session(state=None):
    made = OAuth2Session(env["INTEROP_APP_ID"], redirect_uri="http://localhost:8765/back", scope=scope, state=state)
    return facebook_compliance_fix(made)


def fill_in(address):
    """Send the dialog's form with its hidden fields, all permissions and one Page; where it leads."""
    html = requests.get(address, allow_redirects=False).text
    form = []
    for tag in re.findall(r"<input [^>]*>", html):
        given = {name: unescape(value) for name, value in re.findall(r' (\w+)="([^"]*)"', tag)}
        if given["type"] == "hidden" or given["name"] == "permission" or given["value"] == env["INTEROP_PAGE_ID"]:
            form.append((given["name"], given["value"]))
    target = unescape(re.search(r'<form method="post" action="([^"]*)"', html).group(1))
    answer = requests.post(graph + target, data=form + [("action", "continue")], allow_redirects=False)
    return answer.headers["Location"]


def exchange(oauth, back):
    return oauth.fetch_token(
        f"{graph}/v26.0/oauth/access_token",
        client_secret=env["INTEROP_APP_SECRET"],
        authorization_response=back,
        include_client_id=True,
    )


def main():
    oauth = session()
    address, state = oauth.authorization_url(f"{graph}/v26.0/dialog/oauth", auth_type="rerequest")
    back = fill_in(address)
    token = exchange(oauth, back)
    secrets.append(token["access_token"])
    calls = {
        "token": {"type": token["token_type"], "expires_in": token["expires_in"]},
        "me": oauth.get(f"{graph}/v26.0/me").json(),
        "accounts": [row["id"] for row in oauth.get(f"{graph}/v26.0/me/accounts").json()["data"]],
        "permissions": oauth.get(f"{graph}/v26.0/me/permissions").json()["data"],
    }
    try:
        exchange(session(state), back)
        raise SystemExit("the code was exchanged twice")
    except OAuth2Error as error:
        calls["again"] = str(error)
    text = json.dumps({"client": "requests-oauthlib 2.0.0", "calls": calls})
    for secret in secrets:
        text = text.replace(secret, "<token>")
    print(text)


try:
    main()
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}".replace(env["INTEROP_APP_SECRET"], "<secret>"))
