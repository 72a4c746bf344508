"""Rendering: the templates, and emails rendered from them as text and as HTML with the same content.

A template is searched for in four folders: <company>/<language>, default/<language>, <company>/en, default/en. In each
folder, ``answer.html`` takes precedence over ``answer.jinja``. A ``.jinja`` template is used for both formats: partials that
it names without an extension are searched for with the extension of the format, and in HTML all output is escaped.

The content of an email is data: customer text is never interpreted as a template.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import contains
from typing import Any, get_args

import msgspec
from jinja2 import FunctionLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError, nodes
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from mailbot.model import EmailKind, Value
from mailbot.reply.email_content import EmailContent
from mailbot.reply.samples import SAMPLES
from mailbot.reply.wrap import wrap
from mailbot.strict_toml import nearest

KINDS: tuple[str, ...] = get_args(EmailKind)
FORMS = ("txt", "html")
FACTS = EmailContent.__struct_fields__

# Characters to remove: control characters (replaced by spaces) and marks that change the text direction.
_INVISIBLE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ") | dict.fromkeys(
    (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), ""
)

_FACTS = (msgspec.Struct, TemplateModule)
_DATA = (str, bool, int, tuple, msgspec.Struct, Macro)
"""Types of the most common values in templates; the sandbox need not check them."""


class TemplateProblem(Value, frozen=True):
    """An error in a template: where it is (line 0: the whole file), what is wrong, and how to fix it."""

    template: str
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        """Return one line with all of it."""
        place = f"{self.template}, line {self.line}" if self.line else self.template
        return f"{place}: {self.what}; {self.fix}"


class TemplateError(Exception):
    """An email could not be rendered because of an error in a template, which is described by ``problem``."""

    def __init__(self, problem: TemplateProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class EmailTemplates:
    """The templates: their sources, and one Jinja environment for each company and language."""

    sources: Mapping[str, str]
    scopes: Mapping[tuple[str, str], _TemplateScope] = field(compare=False, repr=False)

    @classmethod
    def of(cls, sources: Mapping[str, str]) -> EmailTemplates:
        """Return the templates for these sources by path ("default/en/answer.jinja"). They are compiled when first used."""
        sources = {path: source for path, source in sources.items() if not path.endswith("/papers.toml")}
        folders = [path.split("/") for path in sources]
        companies = {"default", *(folder[0] for folder in folders)}
        languages = {"en", *(folder[1] for folder in folders if len(folder) > 1)}
        return cls(dict(sources), {(c, code): _scope(sources, c, code) for c in companies for code in languages})

    def language_for(self, language: str) -> str:
        """Return the language (ISO 639-1) if it has default templates, else English."""
        return language if ("default", language) in self.scopes else "en"

    def render(self, content: EmailContent, company: str) -> tuple[str, str]:
        """Return an email as text and as HTML; ``company`` is the folder with the company's own templates.

        Raises:
            TemplateError: a template is missing or has an error.
        """
        language = self.language_for(content.language)
        scope = self.scopes.get((company, language)) or self.scopes["default", language]
        facts = {name: _lines(content.quoted) if name == "quoted" else _plain(getattr(content, name)) for name in FACTS}
        text, html = (self._write(scope, f"{content.kind}.{form}", facts) for form in FORMS)
        return wrap(text), "\n".join(line.rstrip() for line in html.splitlines() if line.strip()) + "\n"

    def check(self) -> list[TemplateProblem]:
        """Check each template, and render all sample emails; return the problems, each once."""
        found = [problem for path, source in self.sources.items() for problem in self._check_template(path, source)]
        if not found:
            found = [problem for company, language in sorted(self.scopes) for problem in self._render_samples(company, language)]
        return list(dict.fromkeys(found))

    def _write(self, scope: _TemplateScope, name: str, facts: Mapping[str, Any]) -> str:
        try:
            return scope.get_template(name).render(facts)
        except Exception as error:  # an expression in a template can raise anything; the author must know where
            raise TemplateError(self._problem(error, scope, name)) from error

    def _problem(self, error: Exception, scope: _TemplateScope, name: str = "") -> TemplateProblem:
        """Return the place of an error in the templates, and how to fix it."""
        what, _, fix = (str(error) or type(error).__name__).partition("; ")
        if tool := re.search(r"No (filter|test) named '(\w+)'", what):
            fix = _suggestion(tool[2], scope.filters if tool[1] == "filter" else scope.tests)
        if isinstance(error, TemplateSyntaxError):
            return TemplateProblem(error.filename or name, error.lineno, what, fix or "fix the syntax there")
        if isinstance(error, TemplateNotFound):
            what, fix = f"there is no template {error.name!r}", "add it, or fix its name"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in self.sources]
        where, line = (frames[-1].filename, frames[-1].lineno or 0) if frames else (name, 0)
        return TemplateProblem(where, line, what, fix or "fix the expression there")

    def _check_template(self, path: str, source: str) -> Iterator[TemplateProblem]:
        """Check the file name, the syntax and the names that a template uses, also in branches that no sample reaches."""
        folder, _, name = path.rpartition("/")
        stem, _, ending = name.partition(".")
        if folder.count("/") != 1 or ending not in {*FORMS, "jinja"}:
            yield TemplateProblem(path, 0, "not a template", "name it <company>/<language>/<kind>.jinja, .txt or .html")
            return
        if stem not in KINDS and not stem.startswith("_"):
            yield TemplateProblem(
                path, 0, f"no kind of email is called {stem!r}", f"{_suggestion(stem, KINDS)} (partials begin with _)"
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
            yield TemplateProblem(path, used.lineno, f"{used.name!r} is not known here", _suggestion(used.name, known))

    def _render_samples(self, company: str, language: str) -> Iterator[TemplateProblem]:
        for sample in SAMPLES:
            try:
                forms = self.render(msgspec.structs.replace(sample, language=language), company)
            except TemplateError as error:
                yield error.problem
                continue
            required = [sample.number, *sample.ship_to, *(sentence.clause for sentence in sample.clauses)]
            for form, text in zip(FORMS, forms, strict=True):
                for fact in (fact for fact in required if fact not in text):
                    path = f"{company}/{language}/{sample.kind}.{form}"
                    yield TemplateProblem(path, 0, f"the email does not contain {fact!r}", "add it: the reader needs it")


class _TemplateScope(ImmutableSandboxedEnvironment):
    """The Jinja environment of one company and language."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute; for content and macros without the checks that other objects need, because it is faster."""
        if isinstance(obj, _FACTS):
            found = obj.__dict__.get(attribute) if isinstance(obj, TemplateModule) else getattr(obj, attribute, None)
            if found is not None and isinstance(found, _DATA) and attribute[0] != "_":
                return found
        return super().getattr(obj, attribute)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro as Jinja does, but without checks; anything else that is called is checked first."""
        if type(called) is not Macro:
            return super().call(context, called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return called(context.eval_ctx, *args, **kwargs)

    def join_path(self, template: str, parent: str) -> str:
        """Return the name of a partial; without an extension it gets that of the including template."""
        return template if "." in template else template + parent[parent.rindex(".") :]


class _UnknownName(StrictUndefined):
    """An undefined name: using it raises an error that suggests the most similar defined name."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: type[UndefinedError] = UndefinedError
    ) -> None:
        if hint is None and name is not None:
            hint = f"{name!r} is not known here; {_suggestion(str(name), FACTS if obj is missing else _names(obj))}"
        super().__init__(hint, obj, name, exc)


def _scope(sources: Mapping[str, str], company: str, language: str) -> _TemplateScope:
    folders = list(dict.fromkeys(f"{c}/{code}" for code in (language, "en") for c in (company, "default")))

    def look_up(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        files = (name, name.rpartition(".")[0] + ".jinja")
        paths = (f"{folder}/{file}" for folder in folders for file in files)
        return next(((sources[path], path, lambda: True) for path in paths if path in sources), None)

    scope = _TemplateScope(
        loader=FunctionLoader(look_up),
        auto_reload=False,  # the sources never change
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=_UnknownName,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scope.tests["contains"] = contains  # units|selectattr("asks", "contains", "serial")
    return scope


def _form(name: str, folder: str, sources: Mapping[str, str]) -> str:
    """Return the name to load a template by: its text format, so that it is compiled only once."""
    stem, _, ending = name.partition(".")
    return f"{stem}.txt" if ending == "jinja" and f"{folder}/{stem}.txt" not in sources else name


def _own_names(tree: nodes.Template) -> Iterator[str]:
    """Yield the names that a template defines: by set, loops, imports and macros."""
    yield from ("loop", "caller", "super")
    for node in tree.find_all((nodes.Name, nodes.Import, nodes.FromImport, nodes.Macro)):
        if isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.Macro) or (isinstance(node, nodes.Name) and node.ctx != "load"):
            yield node.name


def _suggestion(word: str, known: Iterable[str]) -> str:
    return nearest(word, set(known)).strip(" ()")


def _names(thing: Any) -> list[str]:
    fields = getattr(thing, "__struct_fields__", None) or dir(thing)
    return [name for name in fields if not name.startswith("_")]


def _plain(value: Any) -> Any:
    """Return a value with each text on one line: a customer's line breaks cannot look like those of the email."""
    if isinstance(value, str):
        visible = value if value.isascii() and value.isprintable() else value.translate(_INVISIBLE)
        return " ".join(visible.split())
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: _plain(getattr(value, name)) for name in value.__struct_fields__})
    return value


def _lines(text: str) -> tuple[str, ...]:
    return tuple(_plain(line) for line in text.strip().splitlines())
