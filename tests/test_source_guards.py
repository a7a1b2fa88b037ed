"""What the program's own source must not do, since no attack would then be needed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "grocery"

#: They run what they are given as a program, or build objects that it names.
DANGEROUS_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "input"}
DANGEROUS_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "yaml",
    "xml",
    "lxml",
    "ldap",
    "ldap3",
    "telnetlib",
    "ftplib",
}

#: Where chance decides about nothing that anyone could want to guess: when to try again.
JITTER = {"stream/events.py"}

WEAK_HASHES = {"md5", "sha1", "new"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_nothing_that_is_sent_can_become_a_program() -> None:
    found = []
    for name, tree in modules():
        found += [(name, module) for module in imports(tree) if module.partition(".")[0] in DANGEROUS_MODULES]
        for function, call in calls(tree):
            has_shell = any(word.arg == "shell" for word in call.keywords)
            if function in DANGEROUS_CALLS or has_shell:
                found.append((name, function))
    assert found == []


def test_what_must_not_be_guessed_comes_from_the_systems_randomness() -> None:
    guessable = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and "random" in {alias.name for alias in node.names})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "random"
            and {alias.name for alias in node.names} != {"SystemRandom"}
        )
    }
    assert guessable == JITTER


def test_no_weak_hash_is_used() -> None:
    found = [
        (name, function)
        for name, tree in modules()
        for function, _ in calls(tree)
        if function.startswith("hashlib.") and function.partition(".")[2] in WEAK_HASHES
    ]
    assert found == []


def test_scripts_of_our_pages_write_text_and_keep_nothing() -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write"
    forbidden = rf"{markup}|\beval\b|new Function|postMessage|localStorage|sessionStorage|__proto__"
    scripts = sorted((SOURCE / "static").glob("*.js"))
    assert scripts
    assert [(script.name, found) for script in scripts for found in re.findall(forbidden, script.read_text())] == []


def test_no_template_lets_text_through_as_it_is() -> None:
    raw = r'[^"\s]\s*\|\s*safe|autoescape\s+false'  # a literal of the template itself may be markup
    templates = list(SOURCE.rglob("*.html"))
    assert templates
    assert [path.name for path in templates if re.search(raw, path.read_text())] == []
    marked = [(name, call) for name, tree in modules() for function, call in calls(tree) if function.endswith("Markup")]
    assert [name for name, call in marked if not all(isinstance(part, ast.Constant) for part in call.args)] == []
