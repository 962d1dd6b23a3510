"""Base64 media in values and texts, recorded as type and size: `<image/png, 152 kB>`."""

import re

from agentops_otel.content.secret_names import KeyKind

MEDIA_CHARACTERS = 256
"""Length from which base64 text counts as media, by its key or its first characters."""

_END_CHARACTERS = 1024
"""The first and the last characters of a text are read to know it as media, whatever its length."""

_DATA_URL = re.compile(r"data:([\w.+-]{1,64}/[\w.+-]{1,64})?(?:;[\w=.-]{1,64}){0,4};base64,([A-Za-z0-9+/=_-]*)")
_MAGIC = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
    "SUQz": "audio/mpeg",
    "T2dnUw": "audio/ogg",
}
_BEGINNINGS = tuple(_MAGIC)
# Any real base64 of this length has all three sorts of characters; a line of one letter has not.
_BASE64 = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_-]+={0,2}")


def replace_data_urls(text: str) -> str:
    """The text with every base64 data URL replaced by its type and size."""
    return _DATA_URL.sub(_media_mark, text) if ";" in text and ";base64," in text else text


def media_of(text: str, kind: KeyKind) -> str | None:
    """The mark of a text that is base64 media as a whole, such as `<image/png, 152 kB>`; None for any other text."""
    if text.startswith("data:"):
        if url := _DATA_URL.fullmatch(_ends(text)):
            return _mark(url[1], len(text) - url.start(2))
    elif (
        len(text) >= MEDIA_CHARACTERS
        and (kind is KeyKind.MEDIA or text.startswith(_BEGINNINGS))
        and _BASE64.fullmatch(_ends(text))
    ):
        return _mark(next((media for magic, media in _MAGIC.items() if text.startswith(magic)), None), len(text))
    return None


def _ends(text: str) -> str:
    return text if len(text) <= 2 * _END_CHARACTERS else text[:_END_CHARACTERS] + text[-_END_CHARACTERS:]


def _media_mark(url: re.Match[str]) -> str:
    return _mark(url[1], len(url[2]))


def _mark(media: str | None, characters: int) -> str:
    return f"<{media or 'base64'}, {size(characters * 3 // 4)}>"


def size(count: int) -> str:
    """A number of bytes for people: `12 B`, `152 kB`, `50 MB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count} {unit}"
        count = round(count / 1000)
    return f"{count} GB"
