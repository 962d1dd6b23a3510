"""A real browser without a window, told what to do over its own protocol (https://chromedevtools.github.io)."""

import base64
import json
import shutil
import subprocess
import threading
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium")
MISSING = "no chromium (Debian: apt-get install chromium)"
_SWITCHES = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
    ),
    *("--disable-component-update", "--disable-sync"),
    "--remote-debugging-port=0",
)


class Browser:
    """A browser, which takes a second to start; start it with `with`.

    Args:
        folder: Where it keeps what it must.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        assert CHROMIUM is not None
        command = [CHROMIUM, *_SWITCHES, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self._process.stderr is not None
        listening = next(line for line in self._process.stderr if line.startswith("DevTools listening on "))
        self.url = listening.split()[-1]
        # What else it says is read, or it would wait for that once the pipe is full.
        self._reading = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._reading.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._reading.join()
        assert self._process.stderr is not None
        self._process.stderr.close()


class _Socket:
    """Commands to a browser or to a page of it; open it with `with`."""

    def __init__(self, url: str) -> None:
        self._ids = count(1)
        self._connection = connect(url, max_size=None, open_timeout=30)

    def __enter__(self) -> Self:
        self._socket = self._connection.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def ask(self, method: str, **asked: object) -> dict[str, Any]:
        """The answer, or the error."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": asked}))
        while (answer := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            pass  # an event
        answered: dict[str, Any] = answer
        return answered

    def command(self, method: str, **asked: object) -> dict[str, Any]:
        """What a command answers."""
        answer = self.ask(method, **asked)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result


class Page:
    """A page in a browser, with nothing of what other pages have left there; open it with `with`.

    Args:
        url: What it opens.
        browser: Where.
    """

    def __init__(self, url: str, browser: Browser) -> None:
        self._url = url
        self._browser = browser
        self._open = ExitStack()

    def __enter__(self) -> Self:
        control = self._open.enter_context(_Socket(self._browser.url))
        alone = control.command("Target.createBrowserContext")["browserContextId"]
        self._open.callback(control.command, "Target.disposeBrowserContext", browserContextId=alone)
        target = control.command("Target.createTarget", url=self._url, browserContextId=alone)["targetId"]
        address = f"ws://{urlsplit(self._browser.url).netloc}/devtools/page/{target}"
        self._socket = self._open.enter_context(_Socket(address))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def evaluate(self, expression: str) -> object:
        """What an expression is in the page, once it has come if it is a promise."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        for _ in range(100):
            answer = self._socket.ask("Runtime.evaluate", **asked)
            if "error" not in answer:  # else the page has gone on to another address meanwhile
                assert "exceptionDetails" not in answer["result"], answer["result"]
                return answer["result"]["result"].get("value")
        raise AssertionError(answer)

    def command(self, method: str, **asked: object) -> dict[str, Any]:
        """What a command of the browser's protocol answers."""
        return self._socket.command(method, **asked)

    def look(self, *, width: int, height: int, dark: bool = False) -> None:
        """Make the window so large, and its colours dark or light."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """Write what the window shows as a PNG."""
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))

    def press(self, key: str) -> None:
        """A key, as from a keyboard, on what has the focus."""
        text = {"text": key} if len(key) == 1 else {}
        self.command("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.command("Input.dispatchKeyEvent", type="keyUp", key=key)

    def answered_in(self, place: str, *keys: str) -> float:
        """From a key on an element to the second frame after it, in milliseconds.

        Of the slowest key, at its quickest: what else a machine does makes a page slow now and then, not always.
        """
        timed = f"""new Promise(async done => {{
            const keys = {json.dumps(keys)}, times = [];
            const frame = () => new Promise(requestAnimationFrame);
            for (let n = 0; n < 30; n++) {{
                const key = keys[n % keys.length], began = performance.now();
                ({place}).dispatchEvent(new KeyboardEvent('keydown', {{key, bubbles: true}}));
                await frame(); await frame();
                times.push(performance.now() - began);
            }}
            done(times);
        }})"""
        times = self.evaluate(timed)
        assert isinstance(times, list)
        return max(min(float(each) for each in times[number :: len(keys)]) for number in range(len(keys)))

    def tap(self, selector: str) -> None:
        """A click in the middle of an element, on whatever is there; it is scrolled to first."""
        place = self.evaluate(
            f"(box => (box.scrollIntoView({{block: 'nearest'}}), box.getBoundingClientRect().toJSON()))"
            f"(document.querySelector('{selector}'))"
        )
        assert isinstance(place, dict)
        middle = {"x": place["x"] + place["width"] / 2, "y": place["y"] + place["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **middle)

    def wait_for(self, condition: str, timeout_s: float = 20.0) -> None:
        """Return once an expression is true in the page.

        Raises:
            AssertionError: It was not in time; with what the page shows.
        """
        waited = f"""new Promise(done => {{
            const until = performance.now() + {timeout_s * 1000};
            const look = () => {{
                if ({condition}) done(true);
                else if (performance.now() > until) done(false);
                else setTimeout(look, 20);
            }};
            look();
        }})"""
        assert self.evaluate(waited), self.evaluate("document.body.innerText")
