"""Serves one emulator on a free port of 127.0.0.1 and ends when its parent does.

    python serve.py ministack|moto

Prints `listening PORT` once the emulator is loaded. The parent holds the other end of stdin for as long as it lives,
so that even a parent that was killed outright leaves nothing behind.
"""

import os
import socket
import sys
import threading


def end_with_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


def ministack(listener, port):
    os.environ.update(GATEWAY_PORT=str(port), BIND_HOST="127.0.0.1", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
    import asyncio
    import json

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app
    from ministack.services import eventbridge

    async def with_service_events(scope, receive, send):
        """PutEvents refuses `aws.*` sources, as AWS does; what stands in for an AWS service publishes here."""
        if scope["type"] != "http" or scope["path"] != "/_service-events":
            return await app(scope, receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, _, answer = await asyncio.to_thread(eventbridge._put_events, json.loads(body), allow_aws_source=True)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": answer})

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    return lambda: asyncio.run(serve(with_service_events, config))


def moto(listener, port):
    os.environ.update(MOTO_PORT=str(port), MOTO_ACCOUNT_ID="000000000000")
    import logging

    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler, fd=listener.fileno()
    )
    return server.serve_forever


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = listener.getsockname()[1]
    run = {"ministack": ministack, "moto": moto}[sys.argv[1]](listener, port)
    print(f"listening {port}", flush=True)
    run()
