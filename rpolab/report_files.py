"""Reports that are written beside the terminal's: HTML, JUnit, Markdown, annotations.

Where they go is checked before anything runs. HTML is a page for each scenario; the others tell of
all scenarios of one call together, and are written when the last one has ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, TypeAlias

from reports import Result, Study
from rpolab.outputs import OutputError, TextFile, one_file, text_files
from rpolab.terminal import complain, write_line

Document: TypeAlias = Result | Study
GITLAB_FILE = "gl-code-quality-report.json"
FORMS = ("github", "gitlab")


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What was asked for on the command line.

    `ci` asks for what the CI system at hand shows: on GitHub the job's summary and annotations, on
    GitLab the file of its code quality widget.
    """

    html: str | None = None
    junit: str | None = None
    markdown: str | None = None
    annotations: str | None = None
    ci: bool = False


@dataclass(slots=True)
class Reports:
    """The reports of one call: takes each document as it comes, and ends with the common ones.

    Attributes:
        pages: where the page of each scenario goes, in their order.
        junit: where JUnit goes; and so on.
        markdown: the summary.
        summary: the file of GitHub's job summary, to which others may have written before.
        github: where GitHub's annotations go: a file, or '' for the terminal.
        gitlab: GitLab's.
        folder: the checkout, from which annotations count paths.
    """

    pages: list[TextFile | None]
    junit: TextFile | None = None
    markdown: TextFile | None = None
    summary: Path | None = None
    github: TextFile | str | None = None
    gitlab: TextFile | None = None
    folder: Path = field(default_factory=Path.cwd)
    _documents: list[Document] = field(default_factory=list)
    _without_verdict: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    @property
    def use_standard_output(self) -> bool:
        """Whether one of the files is standard output, so that nothing else may go there."""
        files = [*self.pages, self.junit, self.markdown, self.gitlab]
        return any(file is not None and file.path is None for file in files)

    def take(self, document: Document) -> None:
        """Write the page of the next scenario, and keep its document for the common reports.

        Raises:
            OutputError: the page cannot be written.
        """
        page = self._next_page()
        self._documents.append(document)
        if page is not None:
            from reports.html import html_report  # noqa: PLC0415 - jinja2 only where it is used

            page.write(html_report(document))

    def miss(self, name: str, why: str) -> None:
        """Note that the next scenario ended without a result."""
        self._next_page()
        self._without_verdict[name] = why

    def finish(self, stream: TextIO) -> None:
        """Write the reports of all scenarios together.

        Args:
            stream: where annotations go that no file was named for.

        Raises:
            OutputError: one of them cannot be written.
        """
        if self.junit is not None:
            from reports.junit import junit_xml  # noqa: PLC0415 - only where it is used

            self.junit.write(junit_xml(self._documents, self._without_verdict))
        self._write_markdown()
        self._write_annotations(stream)

    def _next_page(self) -> TextFile | None:
        self._count += 1
        return self.pages[self._count - 1]

    def _write_markdown(self) -> None:
        if self.markdown is None and self.summary is None:
            return
        from reports.markdown import SIZE_MAX, markdown_report  # noqa: PLC0415 - likewise

        if self.markdown is not None:
            self.markdown.write(markdown_report(self._documents))
        if self.summary is not None:
            written = self.summary.stat().st_size if self.summary.exists() else 0
            text = markdown_report(self._documents, max(0, SIZE_MAX - written))
            _append(self.summary, text)

    def _write_annotations(self, stream: TextIO) -> None:
        if self.github is None and self.gitlab is None:
            return
        from reports.annotations import (  # noqa: PLC0415 - likewise
            github_annotations,
            gitlab_annotations,
        )

        if self.gitlab is not None:
            self.gitlab.write(gitlab_annotations(self._documents, self._located))
        if self.github is not None:
            text = github_annotations(self._documents, self._located)
            if isinstance(self.github, TextFile):
                self.github.write(text)
            elif text:
                write_line(stream, text)

    def _located(self, file: str) -> str:
        """A scenario's file as seen from the checkout; unchanged where it lies elsewhere."""
        path = (Path.cwd() / file).resolve()
        folder = self.folder.resolve()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else file


def plan_reports(
    names: Sequence[str], options: ReportOptions, environment: Mapping[str, str]
) -> Reports:
    """Decides where each report goes, and makes sure that it can be written.

    Args:
        names: the scenarios, or the files of results, as they were named on the command line.
        options: what was asked for.
        environment: of the process: which CI system runs it, and where.

    Raises:
        OutputError: a folder is missing, or cannot be written to.
    """
    reports = Reports(text_files("--html", options.html, names, ".html"))
    reports.junit = one_file("--junit", options.junit)
    reports.markdown = one_file("--markdown", options.markdown)
    checkout = environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR")
    if checkout:
        reports.folder = Path(checkout)
    for form, file in _annotations(options.annotations):
        _annotate(reports, form, file)
    if options.ci:
        _follow_ci(reports, environment)
    return reports


def _annotations(option: str | None) -> Iterator[tuple[str, str]]:
    if option is None:
        return
    form, equals, file = option.partition("=")
    if form not in FORMS or (equals and not file):
        hint = "write github, github=FILE, gitlab or gitlab=FILE"
        raise OutputError("--annotations", option, "is no form of annotations", hint)
    yield form, file


def _annotate(reports: Reports, form: str, file: str) -> None:
    if form == "gitlab":
        reports.gitlab = one_file("--annotations", file or GITLAB_FILE)
    else:
        reports.github = one_file("--annotations", file) if file else ""


def _follow_ci(reports: Reports, environment: Mapping[str, str]) -> None:
    """Ask for what the CI system shows, as far as it was not asked for already."""
    if environment.get("GITHUB_ACTIONS") == "true":
        reports.github = "" if reports.github is None else reports.github
        summary = environment.get("GITHUB_STEP_SUMMARY")
        if summary:
            one_file("--ci", summary)
            reports.summary = Path(summary)
    elif environment.get("GITLAB_CI") == "true":
        reports.gitlab = reports.gitlab or one_file("--ci", GITLAB_FILE)
    else:
        complain("--ci: neither GITHUB_ACTIONS nor GITLAB_CI is 'true': nothing more is written")


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        problem = f"cannot be written: {error.strerror or error}"
        raise OutputError("--ci", path, problem, "see GITHUB_STEP_SUMMARY") from error
