"""A mail server for tests: python mail.py starttls|tls CERTIFICATE KEY USER PASSWORD"""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

mode, certificate, key, user, password = sys.argv[1:]


class Show:
    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "headers": {name: str(value) for name, value in message.items()},
            "text": message.get_content(),
        }), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=right, handled=True if right else False)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    starttls = {"tls_context": context, "require_starttls": True} if mode == "starttls" else {}

    def server():
        return SMTP(
            Show(), hostname="localhost", authenticator=authenticate, auth_required=True,
            auth_require_tls=mode == "starttls", **starttls,
        )

    own = {} if starttls else {"ssl": context}
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, **own)
    print("ready", listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


asyncio.run(main())
