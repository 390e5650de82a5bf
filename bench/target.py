"""An HTTP target that is no bottleneck: one loop that accepts, answers the same few bytes and closes. Prints its port.

It listens on all of 127.0.0.0/8, as Linux lets a program do without any set-up, so that checks of many targets find it.
"""

from __future__ import annotations

import socket

BODY = b'{"employees": [{"name": "a marker that is only here"}]}'
MARKER = "a marker that is only here"
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
    + str(len(BODY)).encode()
    + b"\r\n\r\n"
    + BODY
)


def main() -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)  # accepted once the request is there
    listener.bind(("0.0.0.0", 0))
    listener.listen(1024)
    print("listens on", listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        try:
            sock.recv(4096)
            sock.sendall(_ANSWER)
        except OSError:
            pass
        sock.close()


if __name__ == "__main__":
    main()
