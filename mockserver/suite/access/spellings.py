"""Other spellings of a path that a server may take for the same path after it has looked who calls.

A server that compares paths before it has normalised them (RFC 3986, section 6.2.2) guards one spelling and serves
another: a rule for `/admin` that a router fulfils for `//admin`, `/Admin`, `/%61dmin` or `/admin;x`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mockserver.http.path_templates import parse_template

#: Changes the text of one segment.
_Change = Callable[[str], str]


def spellings(template: str, path: str, public: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield other spellings of a path, each after its description; the likeliest come first.

    Args:
        template: the path template of the operation, which tells names from values.
        path: a path that fills the template, percent-encoded, without a query.
        public: a path that needs no credentials, None if none is known.
    """
    seen = {path}
    for how, other in _spellings(template, path, public):
        if other not in seen:
            seen.add(other)
            yield how, other


def _spellings(template: str, path: str, public: str | None) -> Iterator[tuple[str, str]]:
    parts = path.split("/")  # the first is empty: a path begins with a slash
    names = [place for place, text in enumerate(template.split("/")) if text and not parse_template(text).parameters]
    first, last = (names[0], names[-1]) if names else (0, 0)
    last_slash = path.rstrip("/").rfind("/")
    yield "a doubled slash", f"/{path}"
    yield ("no slash at the end", path.rstrip("/")) if path.endswith("/") else ("a slash at the end", f"{path}/")
    if names:
        yield "an escaped letter", _with(parts, first, _escaped)
        yield "capital letters", _all(parts, names, str.upper)
        yield "a parameter in a segment", _with(parts, first, lambda text: f"{text};x")
    yield "a segment and `..`", f"/x/..{path}"
    yield "a segment `.`", f"/.{path}"
    yield "a parameter at the end", f"{path};x=1"
    if last_slash > 0:
        yield "a doubled slash", f"{path[:last_slash]}/{path[last_slash:]}"
        yield "an escaped slash", f"{path[:last_slash]}%2F{path[last_slash + 1 :]}"
        yield "a segment `.`", f"{path[:last_slash]}/.{path[last_slash:]}"
        yield "a backslash", f"{path[:last_slash]}%5C{path[last_slash + 1 :]}"
    if public is not None and public.strip("/"):
        back = "/.." * len(public.strip("/").split("/"))
        yield "a public path and `..`", f"{public.rstrip('/')}{back}{path}"
        yield "a public path and `..;`", f"{public.rstrip('/')}{back.replace('..', '..;')}{path}"
    yield "a segment and `..;`", f"/x/..;{path}"
    yield "an escaped slash", f"/%2F{path[1:]}"
    yield "an escaped segment `.`", f"/%2e{path}"
    if names:
        yield "a capital letter", _with(parts, last, str.capitalize)
        yield "a letter escaped twice", _with(parts, first, lambda text: _escaped(text).replace("%", "%25"))
        yield "an escaped letter", _with(parts, last, _escaped)
    yield "a segment `.` at the end", f"{path.rstrip('/')}/."
    yield "an ending", f"{path.rstrip('/')}.json"
    yield "a blank at the end", f"{path}%20"


def _with(parts: list[str], place: int, change: _Change) -> str:
    return "/".join(change(text) if number == place else text for number, text in enumerate(parts))


def _all(parts: list[str], places: list[int], change: _Change) -> str:
    return "/".join(change(text) if number in places else text for number, text in enumerate(parts))


def _escaped(text: str) -> str:
    """Return a text with its first letter percent-encoded, which names the same (RFC 3986, section 6.2.2.2)."""
    place = next((place for place, letter in enumerate(text) if letter.isascii() and letter.isalpha()), None)
    if place is None or "%" in text[:place]:
        return text
    return f"{text[:place]}%{ord(text[place]):02X}{text[place + 1 :]}"
