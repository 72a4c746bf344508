"""Letters: the templates as a value, and a letter written out as text and as HTML from the same facts.

A template is looked for in four folders: <company>/<language>, default/<language>, <company>/en, default/en. In each,
``answer.html`` goes before ``answer.jinja``. A ``.jinja`` template serves both forms: the partials it names without an
ending are found with the ending of the letter being written, and in HTML all that it prints is escaped.

The facts of a letter are data: nothing in them is ever read as a template, whatever a customer writes.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import contains
from typing import Any, get_args

import msgspec
from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from mailbot.model import Value
from mailbot.reply.email_content import EmailContent, EmailKind
from mailbot.reply.samples import SAMPLES
from mailbot.reply.wrap import wrap
from mailbot.strict_toml import nearest

KINDS: tuple[str, ...] = get_args(EmailKind)
FORMS = ("txt", "html")
FACTS = EmailContent.__struct_fields__

# What must not reach a reader: control characters (they end words) and the marks that turn the reading direction (U3).
_UNSEEN = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ") | dict.fromkeys(
    (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), ""
)

_FACTS = (msgspec.Struct, TemplateModule)
_DATA = (str, bool, int, tuple, msgspec.Struct, Macro)
"""Types of what templates read most: plain values, on which the sandbox has nothing to check."""


class TemplateProblem(Value, frozen=True):
    """What is wrong with a template, where (line 0: the file as a whole), and how to fix it."""

    template: str
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        """One line for the person who edits the template."""
        place = f"{self.template}, line {self.line}" if self.line else self.template
        return f"{place}: {self.what}; {self.fix}"


class TemplateError(Exception):
    """A letter could not be written because of a template; ``problem`` says which, where, and the fix."""

    def __init__(self, problem: TemplateProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class EmailTemplates:
    """The templates as a value: their sources, and one look-up for each company and language there is."""

    sources: Mapping[str, str]
    scopes: Mapping[tuple[str, str], _TemplateScope] = field(compare=False, repr=False)

    @classmethod
    def of(cls, sources: Mapping[str, str]) -> EmailTemplates:
        """The letters of these templates: path ("default/en/answer.jinja") to source. Nothing is compiled yet."""
        sources = {path: source for path, source in sources.items() if not path.endswith("/papers.toml")}
        folders = [path.split("/") for path in sources]
        companies = {"default", *(folder[0] for folder in folders)}
        languages = {"en", *(folder[1] for folder in folders if len(folder) > 1)}
        return cls(dict(sources), {(c, language): _scope(sources, c, language) for c in companies for language in languages})

    def language_for(self, language: str) -> str:
        """Return the language if letters are written in it, else English."""
        return language if ("default", language) in self.scopes else "en"

    def render(self, letter: EmailContent, company: str) -> tuple[str, str]:
        """Write a letter with the templates of a company (its folder's name): text and HTML.

        Raises:
            TemplateError: a template is missing or in error.
        """
        language = self.language_for(letter.language)
        scope = self.scopes.get((company, language)) or self.scopes["default", language]
        facts = {name: _lines(letter.quoted) if name == "quoted" else _plain(getattr(letter, name)) for name in FACTS}
        text, html = (self._write(scope, f"{letter.kind}.{form}", facts) for form in FORMS)
        return wrap(text), "\n".join(line.rstrip() for line in html.splitlines() if line.strip()) + "\n"

    def check(self) -> list[TemplateProblem]:
        """Look at every template and write every kind of letter with made-up facts: what is wrong, each thing once."""
        found = [problem for path, source in self.sources.items() for problem in self._check_template(path, source)]
        if not found:
            found = [problem for company, language in sorted(self.scopes) for problem in self._render_samples(company, language)]
        return list(dict.fromkeys(found))

    def _write(self, context: _TemplateScope, name: str, facts: Mapping[str, Any]) -> str:
        try:
            return context.get_template(name).render(facts)
        except Exception as error:  # a template can raise whatever an expression can; which one, and where, is the fix
            raise TemplateError(self._problem(error, context, name)) from error

    def _problem(self, error: Exception, context: _TemplateScope, name: str = "") -> TemplateProblem:
        """Where in the templates it happened, and the fix."""
        what, _, fix = (str(error) or type(error).__name__).partition("; ")
        if tool := re.search(r"No (filter|test) named '(\w+)'", what):
            fix = _fix(tool[2], context.filters if tool[1] == "filter" else context.tests)
        if isinstance(error, TemplateSyntaxError):
            return TemplateProblem(error.filename or name, error.lineno, what, fix or "fix the syntax there")
        if isinstance(error, TemplateNotFound):
            what, fix = f"there is no template {error.name!r}", "add it, or fix its name"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in self.sources]
        where, line = (frames[-1].filename, frames[-1].lineno or 0) if frames else (name, 0)
        return TemplateProblem(where, line, what, fix or "fix the expression there")

    def _check_template(self, path: str, source: str) -> Iterator[TemplateProblem]:
        """The name, the syntax and the facts that one template uses, also in branches that no sample reaches."""
        folder, _, name = path.rpartition("/")
        stem, _, ending = name.partition(".")
        if folder.count("/") != 1 or ending not in {*FORMS, "jinja"}:
            yield TemplateProblem(
                path, 0, "not a template", "name it <company>/<language>/<letter>.jinja, .txt or .html"
            )
            return
        if stem not in KINDS and not stem.startswith("_"):
            yield TemplateProblem(
                path, 0, f"no letter is called {stem!r}", f"{_fix(stem, KINDS)} (partials begin with _)"
            )
        company, language = folder.split("/")
        scope = self.scopes[company, language]
        try:
            scope.get_template(_form(name, folder, self.sources))
        except TemplateSyntaxError as error:
            yield self._problem(error, scope)
            return
        tree = scope.parse(source, name, path)
        known = {*FACTS, *scope.globals, *_own_names(tree)}
        for used in (used for used in tree.find_all(nodes.Name) if used.name not in known):
            yield TemplateProblem(path, used.lineno, f"{used.name!r} is not known here", _fix(used.name, known))

    def _render_samples(self, company: str, language: str) -> Iterator[TemplateProblem]:
        for sample in SAMPLES:
            try:
                forms = self.render(msgspec.structs.replace(sample, language=language), company)
            except TemplateError as error:
                yield error.problem
                continue
            must = [sample.number, *sample.ship_to, *(said.clause for said in sample.clauses)]
            for form, written in zip(FORMS, forms, strict=True):
                for fact in (fact for fact in must if fact not in written):
                    path = f"{company}/{language}/{sample.kind}.{form}"
                    yield TemplateProblem(path, 0, f"the letter does not say {fact!r}", "the reader needs it: show it")


class _Template(Template):
    """A template whose imports share one module: no letter brings global names of its own."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:  # noqa: ARG002 - Jinja's interface
        if self._module is None:
            self._module = self.make_module()
        return self._module


class _TemplateScope(ImmutableSandboxedEnvironment):
    """Jinja as one company and language see it."""

    template_class = _Template

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute; facts and macros are looked up at once, without the checks that other objects need."""
        if isinstance(obj, _FACTS):
            found = obj.__dict__.get(attribute) if isinstance(obj, TemplateModule) else getattr(obj, attribute, None)
            if found is not None and isinstance(found, _DATA) and attribute[0] != "_":
                return found
        return super().getattr(obj, attribute)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro as Jinja does, at once; whatever else is called is checked first."""
        if type(called) is not Macro:
            return super().call(context, called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return called(context.eval_ctx, *args, **kwargs)

    def join_path(self, template: str, parent: str) -> str:
        """A partial named without an ending is looked for with the ending of the letter."""
        return template if "." in template else template + parent[parent.rindex(".") :]


class _Unknown(StrictUndefined):
    """A name that is not there: using it fails, and the failure names the nearest that is."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[UndefinedError] = UndefinedError,
    ) -> None:
        if hint is None and name is not None:
            hint = f"{name!r} is not known here; {_fix(str(name), FACTS if obj is missing else _names(obj))}"
        super().__init__(hint, obj, name, exc)


def _scope(sources: Mapping[str, str], company: str, language: str) -> _TemplateScope:
    folders = list(dict.fromkeys(f"{c}/{language}" for language in (language, "en") for c in (company, "default")))

    def look_up(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        files = (name, name.rpartition(".")[0] + ".jinja")
        paths = (f"{folder}/{file}" for folder in folders for file in files)
        return next(((sources[path], path, lambda: True) for path in paths if path in sources), None)

    scope = _TemplateScope(
        loader=FunctionLoader(look_up),
        auto_reload=False,  # the sources are a value
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=_Unknown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scope.tests["contains"] = contains  # units|selectattr("asks", "contains", "serial")
    return scope


def _form(name: str, folder: str, sources: Mapping[str, str]) -> str:
    """Return the name under which a template is written out: its text form, which is compiled once for every use."""
    stem, _, ending = name.partition(".")
    return f"{stem}.txt" if ending == "jinja" and f"{folder}/{stem}.txt" not in sources else name


def _own_names(tree: nodes.Template) -> Iterator[str]:
    """The names that a template itself brings in: set, looped over, imported, a macro's."""
    yield from ("loop", "caller", "super")
    for node in tree.find_all((nodes.Name, nodes.Import, nodes.FromImport, nodes.Macro)):
        if isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.Macro) or (isinstance(node, nodes.Name) and node.ctx != "load"):
            yield node.name


def _fix(word: str, known: Iterable[str]) -> str:
    return nearest(word, set(known)).strip(" ()")


def _names(thing: Any) -> list[str]:
    fields = getattr(thing, "__struct_fields__", None) or dir(thing)
    return [name for name in fields if not name.startswith("_")]


def _plain(value: Any) -> Any:
    """A fact with each of its texts on one line: no line break of a customer's can pretend to be the letter's own."""
    if isinstance(value, str):
        seen = value if value.isascii() and value.isprintable() else value.translate(_UNSEEN)
        return " ".join(seen.split())
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: _plain(getattr(value, name)) for name in value.__struct_fields__})
    return value


def _lines(text: str) -> tuple[str, ...]:
    return tuple(_plain(line) for line in text.strip().splitlines())
