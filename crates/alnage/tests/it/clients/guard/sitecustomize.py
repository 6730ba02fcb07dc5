"""No connection leaves loopback: one that would ends the process."""

import os
import socket

connect = socket.socket.connect


def guarded(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        os.write(2, f"a connection to {address} was tried\n".encode())
        os._exit(99)
    return connect(self, address)


socket.socket.connect = guarded
