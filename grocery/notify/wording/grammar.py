"""What the shop's own texts may be made of.

They are templates that admins write, and run where orders are placed. Jinja's sandbox keeps them from what is not
theirs, but neither from taking for ever nor from taking all memory: `{{ "x" * 10 ** 10 }}` is no breach of it. So a
text is made of what texts need: values, choices, loops over lists, our filters and macros. Each of these is bounded by
the length of the source and of the values. Source: https://jinja.palletsprojects.com/en/stable/sandbox/ (security
considerations).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, Template, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from grocery.notify.wording.catalogue import TEMPLATES
from grocery.notify.wording.environment import make_environment

#: In the traceback of what goes wrong while a text is written.
FILENAME = "<the shop's own text>"

#: Characters of a finished text.
MAX_LENGTH = 50_000

_MAX_LOOPS = 10

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem),
    *(nodes.If, nodes.CondExpr, nodes.For, nodes.Filter, nodes.Test, nodes.Call, nodes.Assign, nodes.Import),
    *(nodes.Concat, nodes.Add, nodes.Sub, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg),
    *(nodes.Tuple, nodes.List),
)
_FILTERS = frozenset(
    {
        *("short", "sentence", "truncate", "replace", "default", "first", "last", "length"),
        *("upper", "lower", "capitalize", "title", "trim"),
    }
)
# Where a list comes from: a value as it is. A sum or a filter could make it longer.
_PLAIN = (nodes.Name, nodes.Getattr, nodes.Getitem)
# What makes a new, longer value. Assigned again and again, it would double each time.
_GROWING = (nodes.Concat, nodes.Add, nodes.Call, nodes.Tuple, nodes.List)


class SourceError(ValueError):
    """The source is not one that may be used. Its text is for the person who wrote it, and names the line."""

    def __init__(self, problem: str, line: int | None = None):
        super().__init__(f"Line {line}: {problem}" if line else problem)


class TooLongError(ValueError):
    """What comes out is longer than any message."""


@dataclass(frozen=True)
class OwnText:
    """A text of the shop, ready to be written."""

    template: Template

    def render(self, values: Mapping[str, Any], **more: Any) -> str:
        """As jinja2.Template.render; raises TooLongError before there is more than MAX_LENGTH."""
        text = ""
        for piece in self.template.generate(values, **more):
            text += piece
            if len(text) > MAX_LENGTH:
                raise TooLongError("what comes out is too long")
        return text


def compile_source(source: str, language: str, names: Collection[str] | None = None) -> OwnText:
    """Make a text of its source; raises SourceError.

    `names` are the values that there are; None when that need not be checked before it is written.
    """
    try:
        tree = _environment.parse(source)
        _check(tree, language)
        if names is not None:
            _check_names(tree, names)
        code = _environment.compile(tree, filename=FILENAME)
    except TemplateSyntaxError as error:
        raise SourceError(error.message or "this is not understood", error.lineno) from None
    except SourceError:
        raise
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        raise SourceError("This is nested too deeply, or has a number that is too big.") from None
    return OwnText(Template.from_code(_environment, code, dict(_environment.globals)))


def line_of(error: BaseException) -> int | None:
    """The line of the shop's own text in which an error arose while the text was written."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILENAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


@dataclass
class _Scope:
    """What is known of a source while it is checked."""

    language: str
    body: list[nodes.Node]
    imported: set[str] = field(default_factory=set)
    # The one function that is there without an import is no name to be given to something else.
    assigned: set[str] = field(default_factory=lambda: {"row"})
    loops: int = 0


def _check(tree: nodes.Template, language: str) -> None:
    scope = _Scope(language, tree.body)
    for node in _walk(tree):
        if not isinstance(node, _ALLOWED):
            raise SourceError(f"{_word(node)} cannot be used here", node.lineno)
        check = _CHECKS.get(type(node))
        if check is not None:
            check(node, scope)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it, in the order of the source: an import comes before its use."""
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _check_import(node: nodes.Import, scope: _Scope) -> None:
    path = node.template.value if isinstance(node.template, nodes.Const) else None
    shared = sorted(f"{scope.language}/{file.name}" for file in (TEMPLATES / scope.language).glob("_*.txt"))
    if path not in shared:
        raise SourceError(f"only these can be imported: {', '.join(shared)}", node.lineno)
    # Anywhere else it might not happen, and the name be that of a value, whose own functions could then be called.
    if node not in scope.body or node.target in scope.assigned:
        raise SourceError("an import stands outside of if and for, under a name of its own", node.lineno)
    scope.imported.add(node.target)


def _check_name(node: nodes.Name, scope: _Scope) -> None:
    if node.ctx == "load":
        return
    if node.name in scope.imported | {"row"}:
        raise SourceError(f"{node.name} is the name of something else", node.lineno)
    scope.assigned.add(node.name)


def _check_call(node: nodes.Call, scope: _Scope) -> None:
    function = node.node
    is_row = isinstance(function, nodes.Name) and function.name == "row"
    is_macro = (
        isinstance(function, nodes.Getattr)
        and isinstance(function.node, nodes.Name)
        and function.node.name in scope.imported
    )
    if not (is_row or is_macro) or node.dyn_args or node.dyn_kwargs or node.kwargs:
        raise SourceError("only row(…) and what was imported can be called", node.lineno)


def _check_filter(node: nodes.Filter, _scope: _Scope) -> None:
    if node.name not in _FILTERS:
        raise SourceError(f"there is no filter {node.name}; there are {', '.join(sorted(_FILTERS))}", node.lineno)
    if node.dyn_args or node.dyn_kwargs:
        raise SourceError("a filter takes plain values only", node.lineno)
    if node.name == "replace" and not _is_harmless_replacement(node.args):
        raise SourceError('replace takes two texts such as replace("_", " "), and makes none longer', node.lineno)


def _is_harmless_replacement(arguments: list[nodes.Expr]) -> bool:
    words = [argument.value for argument in arguments if isinstance(argument, nodes.Const)]
    if len(arguments) != 2 or [type(word) for word in words] != [str, str]:
        return False
    return len(words[0]) >= max(len(words[1]), 1)


def _check_loop(node: nodes.For, scope: _Scope) -> None:
    scope.loops += 1
    if scope.loops > _MAX_LOOPS:
        raise SourceError(f"there are more than {_MAX_LOOPS} loops", node.lineno)
    if node.recursive or not isinstance(node.iter, _PLAIN):
        raise SourceError("a loop goes over a list as it is, such as order.lines", node.lineno)
    if node.find(nodes.For):
        raise SourceError("a loop cannot stand in another one", node.lineno)


def _check_assignment(node: nodes.Assign, _scope: _Scope) -> None:
    value = node.node
    if not isinstance(node.target, nodes.Name) or any(isinstance(part, _GROWING) for part in _walk(value)):
        raise SourceError("set takes one name, and a value as it is", node.lineno)


_CHECKS: dict[type[nodes.Node], Any] = {
    nodes.Import: _check_import,
    nodes.Name: _check_name,
    nodes.Call: _check_call,
    nodes.Filter: _check_filter,
    nodes.For: _check_loop,
    nodes.Assign: _check_assignment,
}


def _check_names(tree: nodes.Template, names: Collection[str]) -> None:
    unknown = meta.find_undeclared_variables(tree) - _environment.globals.keys() - set(names)
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            raise SourceError(f"there is no value {node.name}; there are {', '.join(sorted(names))}", node.lineno)


def _word(node: nodes.Node) -> str:
    return str(getattr(node, "operator", None) or type(node).__name__.lower())


def _refuse_nothing(value: Any) -> Any:
    """What is printed; a value that is not there would be printed as the word None."""
    if value is None:
        raise UndefinedError("a value is missing at times; write {% if … %} around it")
    return value


def _make() -> Environment:
    environment = make_environment(ImmutableSandboxedEnvironment)
    environment.finalize = _refuse_nothing
    # Of Jinja's own functions none is for texts.
    for name in environment.globals.keys() - {"row", "rule"}:
        del environment.globals[name]
    return environment


_environment = _make()
