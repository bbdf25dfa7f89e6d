"""Serves one emulator on a free port of 127.0.0.1 and ends when its parent does.

    python serve.py ministack|moto [--account]

With --account, MiniStack stands in for an account into which the stack is deployed (account.py).
Prints `listening PORT` once the emulator is loaded. The parent holds the other end of stdin for as long as it lives, so
that the emulator ends even if the parent was killed.
"""

import os
import re
import socket
import sys
import threading


def end_with_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|[a-z0-9.-]+\.localhost)(:\d+)?", re.IGNORECASE)


def is_foreign(headers):
    """Reports whether a web page may have sent the call. Only the local cloud, which is no browser, may call the emulators:
    they check no signatures, so any web page could use them. `headers` are pairs of a name in lower case and a value."""
    return any(
        name == "origin" or name == "sec-fetch-site" or (name == "host" and not LOOPBACK.fullmatch(value))
        for name, value in headers
    )


def ministack(listener, port):
    os.environ.update(GATEWAY_PORT=str(port), BIND_HOST="127.0.0.1", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
    import asyncio
    import json

    deploys = "--account" in sys.argv[2:]
    if deploys:
        import account

        account.prepare()

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app as ministack_app
    from ministack.services import eventbridge, sts

    app = account.account(ministack_app) if deploys else ministack_app

    def service_event(call):
        """Publishes an AWS service's event, because PutEvents refuses `aws.*` sources, as on AWS."""
        _, _, answer = eventbridge._put_events(call, allow_aws_source=True)
        return answer

    def credentials(call):
        """Registers credentials that were issued elsewhere, because presigned URLs are verified with them."""
        sts.register_session(call["accessKeyId"], call["session"])
        return b"{}"

    doors = {"/_service-events": service_event, "/_credentials": credentials}

    async def with_doors(scope, receive, send):
        if scope["type"] == "http" and is_foreign(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
        ):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            return await send({"type": "http.response.body", "body": b""})
        door = doors.get(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            return await app(scope, receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        answer = await asyncio.to_thread(door, json.loads(body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": answer})

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    return lambda: asyncio.run(serve(with_doors, config))


def moto(listener, port):
    os.environ.update(MOTO_PORT=str(port), MOTO_ACCOUNT_ID="000000000000")
    import logging

    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    load(application)
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler, fd=listener.fileno()
    )
    return server.serve_forever


class OneAtATime:
    """Handles one call at a time. Moto imports and creates its services on their first call and keeps its state in plain
    dictionaries, so that a concurrent call could find either half done. Only the computation is serialized, not sending
    the responses. Python would compute only one call at a time anyway."""

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        headers = ((name[5:].lower().replace("_", "-"), environ[name]) for name in environ if name.startswith("HTTP_"))
        if is_foreign(headers):
            start_response("403 Forbidden", [])
            return []
        with self.lock:
            answer = self.application(environ, start_response)
            try:
                return [b"".join(answer)]
            finally:
                if hasattr(answer, "close"):
                    answer.close()


def load(application):
    """Calls each service once, so that it is loaded before the first client calls. In a new installation without compiled
    files, loading takes longer than a client waits."""
    from werkzeug.test import Client

    client = Client(application)
    scope = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=none"
    json = "application/x-amz-json-1.1"

    def call(service, body, **headers):
        answer = client.post("/", data=body, headers={"Authorization": scope.format(service), **headers})
        if answer.status_code != 200:
            raise RuntimeError(f"moto returned {answer.status_code} for {service}: {answer.text[:300]}")

    form = "application/x-www-form-urlencoded"
    call("ec2", "Action=DescribeSubnets&Version=2016-11-15", **{"Content-Type": form})
    call("monitoring", "Action=ListMetrics&Version=2010-08-01", **{"Content-Type": form})
    call("ssm", "{}", **{"Content-Type": json, "X-Amz-Target": "AmazonSSM.DescribeParameters"})


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = listener.getsockname()[1]
    run = {"ministack": ministack, "moto": moto}[sys.argv[1]](listener, port)
    print(f"listening {port}", flush=True)
    run()
