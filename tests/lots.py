"""Draws by lot: first lines of docstrings for a reader, and small faults to plant in the package.

    python -m tests.lots lines SEED [NUMBER]            first lines, without where they stand
    python -m tests.lots faults SEED [NUMBER]           which faults, as differences
    python -m tests.lots plant SEED NUMBER DIRECTORY    make the fault of that number in a copy of the project

The seed is the SHA-1 of an issue's first commit, so nobody chooses what is drawn. Modules are drawn by their lines,
then a kind that the module has a place for, then the place. A fault that nothing could ever tell from the original
(it is said why) is replaced by the next number. The kinds are fixed before the first draw; a new one is a commit of
its own.
"""

import ast
import difflib
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "mockserver"


class Fault(NamedTuple):
    """One edit of a module: what stands between two offsets becomes `text`."""

    start: int
    end: int
    text: str


class Module:
    """The text of one module, with offsets of its nodes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()
        self.tree = ast.parse(self.text)
        self._lines = self.text.encode().splitlines(keepends=True)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
        """Return where a node stands, as offsets into the module's bytes."""
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line))
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def source(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text.encode()[start:end].decode()

    def nodes(self) -> Iterator[ast.AST]:
        """Give the nodes that run: no docstrings, no annotations, nothing below a type alias."""
        stack: list[ast.AST] = [self.tree]
        while stack:
            node = stack.pop()
            yield node
            for name, value in ast.iter_fields(node):
                if name in ("annotation", "returns", "type_params"):
                    continue
                children = value if isinstance(value, list) else [value]
                stack += [child for child in children if isinstance(child, ast.AST) and not _is_docstring(child)]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replaced(module: Module, node: ast.expr | ast.stmt, text: str) -> Fault:
    return Fault(*module.span(node), text)


_BOUNDS: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_OPPOSITES: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}


def _comparisons(module: Module, signs: dict[type[ast.cmpop], str]) -> Iterator[Fault]:
    for node in module.nodes():
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in signs:
            left, right = module.source(node.left), module.source(node.comparators[0])
            yield _replaced(module, node, f"({left} {signs[type(node.ops[0])]} {right})")


def boundary(module: Module) -> Iterator[Fault]:
    """A bound that includes what it excluded, or the other way round: `<` for `<=`."""
    yield from _comparisons(module, _BOUNDS)


def opposite(module: Module) -> Iterator[Fault]:
    """A comparison turned into its opposite: `!=` for `==`, `not in` for `in`."""
    yield from _comparisons(module, _OPPOSITES)


def connective(module: Module) -> Iterator[Fault]:
    """`or` for `and`, and the other way round."""
    for node in module.nodes():
        if isinstance(node, ast.BoolOp):
            word = " or " if isinstance(node.op, ast.And) else " and "
            yield _replaced(module, node, "(" + word.join(f"({module.source(value)})" for value in node.values) + ")")


def condition(module: Module) -> Iterator[Fault]:
    """An `if` that never holds: its branch is not taken."""
    for node in module.nodes():
        if isinstance(node, (ast.If, ast.IfExp)):
            yield _replaced(module, node.test, f"(({module.source(node.test)}) and False)")


def number(module: Module) -> Iterator[Fault]:
    """A number that is one too large."""
    for node in module.nodes():
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield _replaced(module, node, str(node.value + 1))  # type: ignore[operator]  # an int or a float, as just asked


def switch(module: Module) -> Iterator[Fault]:
    """`False` for `True`, and the other way round."""
    for node in module.nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield _replaced(module, node, str(not node.value))


def word(module: Module) -> Iterator[Fault]:
    """A text that is not what it was: a name, a key, a message."""
    for node in module.nodes():
        if not isinstance(node, ast.Constant) or isinstance(module.parents[node], (ast.JoinedStr, ast.FormattedValue)):
            continue
        if isinstance(node.value, str) and node.value.strip():
            yield _replaced(module, node, repr(node.value + "x"))


def entry(module: Module) -> Iterator[Fault]:
    """A table or list that lacks one entry."""
    for node in module.nodes():
        if (
            isinstance(node, (ast.List, ast.Set, ast.Tuple))
            and len(node.elts) > 1
            and isinstance(node.ctx if not isinstance(node, ast.Set) else ast.Load(), ast.Load)
        ):
            for left_out in node.elts:
                kept = ", ".join(module.source(each) for each in node.elts if each is not left_out)
                marks = {"List": "[%s]", "Set": "{%s}", "Tuple": "(%s,)"}[type(node).__name__]
                yield _replaced(module, node, marks % kept)
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            pairs = [
                (f"{module.source(k)}: " if k else "**") + f"({module.source(v)})"
                for k, v in zip(node.keys, node.values, strict=True)
            ]
            for place in range(len(pairs)):
                yield _replaced(module, node, "{" + ", ".join(pairs[:place] + pairs[place + 1 :]) + "}")


def order(module: Module) -> Iterator[Fault]:
    """A table or list with two neighbours exchanged, where the order may be the rule."""
    for node in module.nodes():
        if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) > 1 and isinstance(node.ctx, ast.Load):
            parts = [module.source(each) for each in node.elts]
            for place in range(len(parts) - 1):
                turned = [*parts[:place], parts[place + 1], parts[place], *parts[place + 2 :]]
                yield _replaced(module, node, ("[%s]" if isinstance(node, ast.List) else "(%s)") % ", ".join(turned))


def statement(module: Module) -> Iterator[Fault]:
    """A statement left out: a call for its effect, an assignment to a member, a `raise`."""
    for node in module.nodes():
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            yield _replaced(module, node, "pass")
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets):
                yield _replaced(module, node, "pass")


def result(module: Module) -> Iterator[Fault]:
    """A function that gives nothing back where it gave something."""
    for node in module.nodes():
        if isinstance(node, ast.Return) and node.value is not None and module.source(node.value) != "None":
            yield _replaced(module, node.value, "None")


def handler(module: Module) -> Iterator[Fault]:
    """An exception that is not handled: it goes on to the caller."""
    for node in module.nodes():
        if isinstance(node, ast.ExceptHandler):
            start, end = module.span(node.body[0])[0], module.span(node.body[-1])[1]
            yield Fault(start, end, "raise")


def argument(module: Module) -> Iterator[Fault]:
    """A keyword argument left out, so that the default holds."""
    for node in module.nodes():
        if isinstance(node, ast.Call) and not any(isinstance(each, ast.Starred) for each in node.args):
            for left_out in node.keywords:
                if left_out.arg is not None:
                    given = [module.source(each) for each in node.args]
                    given += [
                        f"{each.arg}={module.source(each.value)}" if each.arg else f"**{module.source(each.value)}"
                        for each in node.keywords
                        if each is not left_out
                    ]
                    yield _replaced(module, node, f"{module.source(node.func)}({', '.join(given)})")


KINDS: tuple[Callable[[Module], Iterator[Fault]], ...] = (
    boundary,
    opposite,
    connective,
    condition,
    number,
    switch,
    word,
    entry,
    order,
    statement,
    result,
    handler,
    argument,
)


def draw_fault(seed: str, place: int, package: Path = PACKAGE) -> tuple[Module, str, Fault]:
    """Return the module, the kind and the edit of a fault by its number, from 1."""
    chance = random.Random(f"{seed} fault {place}")
    paths = sorted(package.rglob("*.py"))
    while True:
        [path] = chance.choices(paths, weights=[path.read_text().count("\n") for path in paths])
        module = Module(path)
        kind = chance.choice(KINDS)
        edits = sorted(set(kind(module)))
        if edits:
            return module, kind.__name__, chance.choice(edits)


def planted(module: Module, fault: Fault) -> str:
    """Return the module's text with the fault in it."""
    content = module.text.encode()
    return (content[: fault.start] + fault.text.encode() + content[fault.end :]).decode()


def first_lines(package: Path = PACKAGE) -> list[str]:
    """Return the first lines of all docstrings: modules, classes, functions, each with what it is about."""
    lines = []
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if text := ast.get_docstring(node):
                lines.append(text.splitlines()[0])
    return lines


def main(command: str, seed: str, *rest: str) -> None:
    """Print what is drawn, or plant a fault."""
    if command == "lines":
        chance = random.Random(f"{seed} lines")
        for place, line in enumerate(chance.sample(first_lines(), int(rest[0]) if rest else 60), 1):
            sys.stdout.write(f"{place}. {line}\n")
    elif command == "plant":
        module, _, fault = draw_fault(seed, int(rest[0]), Path(rest[1]) / "mockserver")
        module.path.write_text(planted(module, fault))
    else:
        for place in range(1, (int(rest[0]) if rest else 11) + 1):
            module, kind, fault = draw_fault(seed, place)
            name = module.path.relative_to(PACKAGE.parent).as_posix()
            sys.stdout.write(f"\n# {place}. {kind}: {name}\n")
            lines = difflib.unified_diff(
                module.text.splitlines(), planted(module, fault).splitlines(), n=1, lineterm=""
            )
            sys.stdout.write("\n".join(list(lines)[2:]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
