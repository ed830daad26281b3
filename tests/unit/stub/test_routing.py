"""Method and path to operation: properties that hold for any set of path templates."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mockserver.stub.routing import Router

words = st.sampled_from(["a", "b", "x.json", "a-b", "", "é", "{}", "+"]).filter(lambda word: "{" not in word)
pieces = st.sampled_from(["a", "{p}", "{q}.json", "{p}-{q}", "v{p}", "{p}.{q}"])


def _unique(segments: list[str]) -> str:
    """Give every parameter of a template a name of its own."""
    count = 0

    def name(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{{n{count}}}"

    return "/" + "/".join(re.sub(r"\{\w\}", name, segment) for segment in segments)


templates = st.lists(pieces, min_size=1, max_size=4).map(_unique)
paths = st.lists(words, min_size=1, max_size=4).map(lambda segments: "/" + "/".join(segments))


def _matches(template: str, path: str) -> bool:
    """What a template means, said once more: a parameter is one or more characters of one segment."""
    pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", template))
    return re.fullmatch(pattern, path, re.DOTALL) is not None


def _shape(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template)


@given(known=st.lists(templates | paths, max_size=6), path=paths)
def test_a_path_is_found_exactly_where_a_template_fits(known: list[str], path: str) -> None:
    router = Router(("GET", template, template) for template in known)
    found = router.match(path)
    fitting = [template for template in known if _matches(template, path)]
    if found is None:
        assert fitting == []
        return
    route, values = found
    assert _shape(route.template) in {_shape(template) for template in fitting}
    assert route.methods["GET"] in known
    if path in known:
        assert route.template == path, "a concrete path wins"
        assert values == {}
    rebuilt = route.template
    for name, value in values.items():
        assert value != ""
        assert "/" not in value
        rebuilt = rebuilt.replace(f"{{{name}}}", value)
    assert rebuilt == path, "the values are those that stand in the path"


@given(known=st.lists(templates | paths, max_size=6), path=paths)
def test_the_order_of_the_contract_does_not_matter_to_concrete_paths(known: list[str], path: str) -> None:
    one = Router(("GET", template, template) for template in known).match(path)
    two = Router(("GET", template, template) for template in reversed(known)).match(path)
    assert (one is None) == (two is None)


def test_the_more_literal_segment_is_tried_first() -> None:
    known = ["/{p}", "/{p}.json", "/report-{p}.json", "/{p}/x", "/a/{p}"]
    router = Router(("GET", template, template) for template in known)

    def found(path: str) -> str | None:
        match = router.match(path)
        return None if match is None else match[0].template

    assert found("/z") == "/{p}"
    assert found("/z.json") == "/{p}.json"
    assert found("/report-1.json") == "/report-{p}.json"
    assert found("/.json") == "/{p}"
    assert found("/a/x") == "/a/{p}"
    assert found("/b/x") == "/{p}/x"
    assert found("/") is None
    assert found("") is None
    assert found("no-slash") is None
    assert found("/line\nbreak") == "/{p}"


def test_methods_of_one_path_stand_together() -> None:
    router = Router([("GET", "/a", 1), ("POST", "/a", 2), ("DELETE", "/a", 3), ("GET", "/b/{p}", 4)])
    match = router.match("/a")
    assert match is not None
    assert match[0].methods == {"GET": 1, "POST": 2, "DELETE": 3}
    assert match[0].allow == "DELETE, GET, HEAD, OPTIONS, POST"
    assert router.concrete.keys() == {"/a"}


def test_finding_a_path_does_not_take_forever() -> None:
    """Many alternatives on each of many levels: no path may be tried in all combinations."""
    known = [
        "/" + "/".join(f"{{n{level}}}" if number >> level & 1 else "a" for level in range(10)) + f"/end{number}"
        for number in range(1024)
    ]
    router = Router(("GET", template, template) for template in known)
    assert router.match("/" + "/".join("a" * 10) + "/nowhere") is None


def test_a_path_is_found_with_and_without_base_path() -> None:
    targets = [("GET", "/pets/{id}", 1), ("GET", "/pets", 2), ("GET", "/v1/pets", 3)]
    router = Router(targets, {"/pets/{id}": ("/v1", "/v2/eu"), "/pets": ("/v1",)})
    for path, target in [("/pets/7", 1), ("/v1/pets/7", 1), ("/v2/eu/pets/7", 1), ("/pets", 2), ("/v1/pets", 3)]:
        found = router.match(path)
        assert found is not None
        assert (found[0].methods["GET"], found[1]) == (target, {"id": "7"} if target == 1 else {})
    assert router.match("/v3/pets/7") is None


def test_templates_that_differ_by_name_only_are_one_path() -> None:
    found = Router([("GET", "/a/{x}", 1), ("PUT", "/a/{y}", 2)]).match("/a/7")
    assert found is not None
    assert found[0].allow == "GET, HEAD, OPTIONS, PUT"
    assert found[1] == {"x": "7", "y": "7"}


def test_an_encoded_slash_separates_nothing_where_the_server_tells_of_it() -> None:
    router = Router([("GET", "/a/{x}/b", 1)])
    assert router.match("/a/1/2/b") is None
    for target in ("/a/1%2F2/b?q=%2f", "/__world/w/a/1%2f2/b"):
        found = router.match("/a/1/2/b", target)
        assert found is not None
        assert found[1] == {"x": "1/2"}


def test_a_query_in_a_path_selects_among_operations() -> None:
    targets = [("GET", "/a?kind=x", 1), ("GET", "/a?since={since}", 2), ("GET", "/a", 3), ("GET", "/b#c", 4)]
    (route, _) = Router(targets).match("/a") or (None, None)
    assert route is not None
    assert route.by_query("GET", "kind=x&more=1") == (1, {})
    assert route.by_query("GET", "since=2020") == (2, {"since": "2020"})
    assert route.by_query("GET", "kind=y") is None
    assert route.methods == {"GET": 3}
    assert Router(targets).match("/b") is not None


def test_many_mixed_segments_at_one_place_cost_no_more_than_one() -> None:
    tried = 0

    class Counted(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            nonlocal tried
            tried += 1
            return str.__getitem__(self, key)  # type: ignore[index]  # whatever it was asked for

    router = Router(("GET", f"/kind{number:04}-{{id}}", number) for number in range(1000))
    segment = Counted("kind0999-7")
    patterns = router._root.patterns
    assert patterns is not None
    ((_, values),) = patterns.fitting(segment)
    assert values == ("7",)
    assert tried == 2
