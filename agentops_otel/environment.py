"""Reads settings from arguments and variables as text. The only reader of `os.environ`; defines `ConfigError`."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

TRUTH: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""Words for true and false, in lower case."""


class ConfigError(ValueError):
    """Raised by `init()` for an invalid setting. The message has its name, its value (secrets masked) and the fix.

    ```python
    try:
        agentops_otel.init(endpoint="collector")
    except agentops_otel.ConfigError as error:
        print(error)  # endpoint='collector' is not usable: ...
    ```
    """

    def __init__(self, setting: str, value: object, right: str) -> None:
        shown = repr(masked(value)) if isinstance(value, str) else masked(repr(value))
        super().__init__(f"{setting}={shown} is not usable: {right}")


class Setting(NamedTuple):
    """A setting's text and where it came from, for the error that names it."""

    name: str
    text: str

    def wrong(self, right: str, *, secret: bool = False) -> ConfigError:
        """Make the error, with the value masked if it may be secret."""
        return ConfigError(self.name, "***" if secret else self.text, right)


def inherited() -> dict[str, str]:
    """The environment of this process, for one that it starts."""
    return dict(os.environ)


def env(name: str) -> str:
    """The variable's text without surrounding space; empty when it is not set."""
    return os.environ.get(name, "").strip()


def words(name: str) -> list[str]:
    """The variable as a comma list."""
    return [word.strip() for word in env(name).split(",") if word.strip()]


def flag(name: str, default: bool) -> bool:
    """The variable as true or false, also as yes and no, on and off, 1 and 0."""
    text = env(name).lower()
    if text and text not in TRUTH:
        raise Setting(name, text).wrong("use true or false")
    return TRUTH.get(text, default)


def first(argument: object, name: str, *variables: str) -> Setting | None:
    """The argument if there is one, else the first variable that is set."""
    if argument is not None:
        return Setting(name, str(argument))
    return next((Setting(variable, env(variable)) for variable in variables if env(variable)), None)


def is_loopback(host: str) -> bool:
    """Whether the name or address is that of this machine."""
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def proxy(endpoint: str) -> str | None:
    """The proxy that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name for the URL.

    None for this machine: a proxy would resolve `localhost` to itself, and get the spans.
    """
    url = urlsplit(endpoint)
    if is_loopback(url.hostname or ""):
        return None

    from urllib.request import getproxies, proxy_bypass  # a twentieth of the time that `init()` takes

    proxies = getproxies()
    return None if proxy_bypass(url.netloc) else proxies.get(url.scheme) or proxies.get("all")


def seconds(setting: Setting) -> float:
    """A duration of more than nothing and at most a day."""
    try:
        duration = float(setting.text)
    except ValueError:
        duration = 0.0
    if not 0 < duration <= 86400:
        raise setting.wrong("give a number of seconds greater than 0")
    return duration


def url(setting: Setting) -> SplitResult:
    """An http or https URL."""
    right = "give a URL such as http://localhost:4318"
    try:
        parts = urlsplit(setting.text)
        _ = parts.port  # a port that is no number raises here
    except ValueError:
        raise setting.wrong(right) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00-\x1f]", setting.text):
        raise setting.wrong(right)
    return parts


def pem_file(setting: Setting | None) -> Path | None:
    """The path of a file that is there."""
    if setting and not Path(setting.text).is_file():
        raise ConfigError(setting.name, setting.text, "give the path of a PEM file that is there")
    return Path(setting.text) if setting else None


def compression(setting: Setting | None, allowed: Sequence[str]) -> str:
    """One of the allowed compressions, whose package is installed. Default: none."""
    if setting and setting.text not in allowed:
        raise setting.wrong(f"use one of {', '.join(allowed)}")
    if setting and setting.text == "zstd" and find_spec("zstandard") is None:
        raise setting.wrong("its package is not installed: pip install zstandard")
    return setting.text if setting else "none"


def headers(argument: Mapping[str, str] | str | None, *variables: str) -> dict[str, str]:
    """Headers from the argument, else from the environment: `name=value,name=value`, values URL-encoded."""
    if isinstance(argument, Mapping):
        pairs = [(str(name).strip().lower(), value) for name, value in argument.items()]
        source = "headers"
    else:
        setting = first(argument, "headers", *variables) or Setting("headers", "")
        source = setting.name
        pairs = [_header(setting, part) for part in setting.text.split(",") if part.strip()]
    for name, value in pairs:
        if not re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name) or not _header_value(value):
            raise ConfigError(source, f"{name}: ***", "a header is one line of printable characters")
    return dict(pairs)


def _header(setting: Setting, part: str) -> tuple[str, str]:
    name, separator, value = part.partition("=")
    if not separator:
        raise setting.wrong("write name=value,name=value, with commas in a value as %2C", secret=True)
    return unquote(name).strip().lower(), unquote(value).strip()


def _header_value(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()


def masked(text: str) -> str:
    """The text without what may be secret in it: user and password, query, long opaque words."""
    text = re.sub(r"//[^/@\s]*@", "//***@", text)
    text = re.sub(r"\?.*", "?***", text)
    return re.sub(r"[A-Za-z0-9_\-]{20,}", "***", text)


def notebook_shell() -> Any | None:
    """IPython's shell if this process runs the cells of a notebook; None elsewhere, and in TaskWeaver's kernel."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython and "taskweaver.ces.runtime.executor" not in sys.modules else None
    return shell if getattr(shell, "kernel", None) is not None else None
