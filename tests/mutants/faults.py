"""Which small faults can be planted in a source: each is a stretch of the text and what stands there instead."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_LOCKS = ("lock", "changed", "starting", "sending")
_FOR_PEOPLE = (
    *("guard", "warn", "warning", "info", "debug", "error", "exception", "ConfigError", "Finding"),
    *("create_key", "TypeVar"),
)
"""What they are given is read by people, and by checkers of types: another word there is no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in one file."""

    kind: str
    line: int
    start: int
    """In bytes of the source, as *end*."""
    end: int
    text: str
    """What stands there instead."""
    names: tuple[str, ...] | None
    """Outside functions, where a line runs once and for all tests: the names that it makes. None: in a function."""

    def planted(self, source: bytes) -> bytes:
        """The source with the fault."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def was(self, source: bytes) -> str:
        """What stands there without it."""
        return source[self.start : self.end].decode()

    def shown(self, source: bytes) -> str:
        """Both texts, on one line."""
        return f"{self.kind}: {' '.join(self.was(source).split())[:70]} -> {self.text[:70]}"

    def place(self, file: str, source: bytes) -> str:
        """Where it is planted and what it is; the text of its line tells it from others like it in the file."""
        begins = source.rfind(b"\n", 0, self.start) + 1
        ends = (source + b"\n").index(b"\n", self.start)
        parts = source[begins : self.start], source[self.start : min(self.end, ends)], source[self.end : ends]
        before, changed, after = (part.decode() for part in parts)
        return f"{file}:{self.line} {self.shown(source)} | {before.lstrip()}>>{changed}<<{after}"


def faults(source: bytes) -> list[Fault]:
    """All that can be planted, each by itself."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return finder.found


def compiles(source: bytes) -> bool:
    """Whether it is Python, which a statement that is left out may have been needed for."""
    try:
        compile(source, "planted", "exec")
    except SyntaxError:
        return False
    return True


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes) -> None:
        self.found: list[Fault] = []
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._in_function = False
        self._names: tuple[str, ...] = ()

    def _add(self, kind: str, node: ast.expr | ast.stmt, text: str, last: ast.expr | None = None) -> None:
        end = last or node
        assert end.end_lineno is not None
        assert end.end_col_offset is not None
        self.found.append(
            Fault(
                kind=kind,
                line=node.lineno,
                start=self._starts[node.lineno - 1] + node.col_offset,
                end=self._starts[end.end_lineno - 1] + end.end_col_offset,
                text=text,
                names=None if self._in_function else self._names,
            )
        )

    def _each(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    # Statements.

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Its defaults and its body; not its annotations. One of several signatures is for checkers of types alone."""
        if any(isinstance(decorator, ast.Name) and decorator.id == "overload" for decorator in node.decorator_list):
            return
        outer, names = self._in_function, self._names
        self._names = (*names, node.name)
        self._each(*node.args.defaults, *node.args.kw_defaults)
        self._in_function = True
        self._each(*node.body)
        self._in_function, self._names = outer, names

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Its body, which makes the class's name."""
        names, self._names = self._names, (*self._names, node.name)
        self._each(*node.body)
        self._names = names

    def visit_Assign(self, node: ast.Assign) -> None:
        """An attribute or an item is not set; a variable always is."""
        if self._in_function and not isinstance(node.targets[0], ast.Name | ast.Tuple):
            self._add("statement", node, "pass")
        made = tuple(target.id for target in node.targets if isinstance(target, ast.Name))
        if made == ("__all__",):
            return
        names, self._names = self._names, made or self._names
        self._each(*node.targets, node.value)
        self._names = names

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Its value; not its annotation."""
        names = self._names
        if isinstance(node.target, ast.Name) and not names:
            self._names = (node.target.id,)
        self._each(node.value)
        self._names = names

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """It is left out."""
        self._add("statement", node, "pass")
        self._each(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call is left out; a docstring is none."""
        if isinstance(node.value, ast.Constant):
            return
        if self._in_function:
            self._add("statement", node, "pass")
        self._each(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        """Nothing is returned; who asks yes or no takes that for no."""
        if node.value and not (isinstance(node.value, ast.Constant) and node.value.value in (None, False)):
            self._add("return", node, "return None")
        self._each(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """It is left out."""
        self._add("statement", node, "pass")

    def visit_With(self, node: ast.With) -> None:
        """A lock is not taken."""
        context = node.items[0].context_expr
        if len(node.items) == 1 and any(word in ast.unparse(context).lower() for word in _LOCKS):
            self._add("lock", node, "if True", context)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        """The other way is taken."""
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self._negated(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        """The other way is taken."""
        self._negated(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """The other value."""
        self._negated(node.test)
        self.generic_visit(node)

    def _negated(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Constant):
            self._add("condition", test, f"(not ({ast.unparse(test)}))")

    # Expressions.

    def visit_Compare(self, node: ast.Compare) -> None:
        """Turned, or moved by one."""
        for other in _COMPARISONS.get(type(node.ops[0]), ()) if len(node.ops) == 1 else ():
            changed = copy.copy(node)
            changed.ops = [other()]
            self._add("comparison", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """`and` for `or`."""
        changed = copy.copy(node)
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._add("operator", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Another operator, or the operands swapped."""
        if other := _OPERATORS.get(type(node.op)):
            changed = copy.copy(node)
            changed.op = other()
            self._add("operator", node, f"({ast.unparse(changed)})")
        if isinstance(node.op, ast.Sub | ast.Div | ast.Mod) and not _is_text(node.left):
            swapped = copy.copy(node)
            swapped.left, swapped.right = node.right, node.left
            self._add("operands", node, f"({ast.unparse(swapped)})")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """`min` for `max`, and an argument that has a default left out."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in _FUNCTIONS and isinstance(node.func, ast.Name):
            self._add("function", node.func, _FUNCTIONS[name])
        if name == "zip":  # `strict` says what holds anyway
            self._each(*node.args)
            return
        for n in range(len(node.keywords) if name != "TypeVar" else 0):
            changed = copy.copy(node)
            changed.keywords = node.keywords[:n] + node.keywords[n + 1 :]
            self._add("argument", node, ast.unparse(changed))
        self._each(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not (name in _FOR_PEOPLE and _is_text(argument)):
                self.visit(argument)

    def visit_Dict(self, node: ast.Dict) -> None:
        """A row is left out."""
        for n in range(len(node.keys)):
            changed = ast.Dict(node.keys[:n] + node.keys[n + 1 :], node.values[:n] + node.values[n + 1 :])
            self._add("row", node, ast.unparse(changed))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Not what is between the brackets of a type."""
        self._each(node.value)
        if not (isinstance(node.value, ast.Name) and node.value.id[:1].isupper()):
            self._each(node.slice)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Its text is left as it is."""
        self._each(*(part for part in node.values if isinstance(part, ast.FormattedValue)))

    def visit_Constant(self, node: ast.Constant) -> None:
        """A number that is another by far, or another word."""
        match node.value:
            case bool(value):
                self._add("constant", node, str(not value))
            case int(value):
                self._add("constant", node, str(value + 1 if value < 10 else value * 2))
            case float(value):
                self._add("constant", node, repr(value * 2 + 1))
            case str(value) if value:
                self._add("word", node, repr(value[:-1] + chr(ord(value[-1]) ^ 1)))

    def generic_visit(self, node: ast.AST) -> None:
        """Patterns of `match` are left as they are, apart from their guards and bodies."""
        for child in _children(node):
            self.visit(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.match_case):
        yield from filter(None, (node.guard, *node.body))
    else:
        yield from ast.iter_child_nodes(node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
