"""What a program shows on a terminal: it runs on a pseudo-terminal, and pyte draws what it has written."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path

LINES, COLUMNS, RUN_S = 24, 80, 120.0
END = b"THE END"
"""What each of the programs prints when its display is over."""
OURS = b"agentops_otel: "
DRAW = """
import sys, pyte
screen = pyte.Screen(80, 24)
pyte.ByteStream(screen).feed(sys.stdin.buffer.read())
print("\\n".join(line.rstrip() for line in screen.display))
"""


def shown(command: tuple[str, ...], env: Mapping[str, str], python: Path) -> tuple[int, str]:
    """The exit code, and the screen when the display was over; beneath it, what of ours was written meanwhile."""
    exit_code, written = on_terminal(command, env)
    first, _, rest = written.partition(b"\n")
    until_end = (rest if first.startswith(OURS) else written).partition(END)[0] + END
    drawn = subprocess.run([python, "-c", DRAW], input=until_end, capture_output=True, timeout=RUN_S, check=True)
    return exit_code, drawn.stdout.decode() + str([words for words in (OURS, b"chat gpt") if words in until_end])


def on_terminal(command: tuple[str, ...], env: Mapping[str, str]) -> tuple[int, bytes]:
    """Run the command to its end on a terminal of its own; its exit code, and all that it writes."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(Path(env["HOME"]) / "apps")
        os.execve(command[0], list(command), {**env, "TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    written, end = b"", time.monotonic() + RUN_S
    while data := read(terminal):
        written += data
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written


def read(terminal: int) -> bytes:
    """What has been written since; nothing once the other side is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
