"""A network that can be cut: forwards TCP from one port to another until somebody pulls the cable."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Cable:
    """Forward connections of 127.0.0.1:`port` to 127.0.0.1:`target`, in a thread of its own."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self._target = port, target
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False
        self._ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait(10)

    def cut(self) -> None:
        """Pull the cable: nothing passes any more and nobody is told, as when a switch loses power."""
        self._cut = True

    def mend(self) -> None:
        """Plug it in again: connections that were open are dead, as after a long cut."""
        self._cut = False
        self._loop.call_soon_threadsafe(self._close_all)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()

    def _close_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while self._cut:
                await asyncio.sleep(0.2)  # a packet into nowhere: no answer, no refusal
                if writer.transport.is_closing():
                    return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._open.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        except OSError:
            pass  # the server is down: the browser sees a closed connection
        finally:
            for one in (writer, *(w for w in self._open if w is writer)):
                self._open.discard(one)
                with contextlib.suppress(OSError):
                    one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                while self._cut:
                    await asyncio.sleep(0.2)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()
