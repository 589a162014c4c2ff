"""One page that holds everything: no file beside it, no network, a headline without scripts."""

from collections.abc import Iterator
from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

from reports.clock import Clock
from reports.html.comparison import comparison_parts
from reports.html.coverage import coverage_parts
from reports.html.events import event_parts
from reports.html.heading import heading_of_run, heading_of_study
from reports.html.losses import loss_parts
from reports.html.parts import Part, Prose, Section, safe, verdict_chip
from reports.html.phases import phase_parts
from reports.html.provenance import assumption_parts, provenance_parts, replay_parts
from reports.html.study import distribution_section, study_sections, worst_run
from reports.html.targets import target_parts, what_if_parts
from reports.html.timeline import timeline_figure
from reports.html.waterfall import waterfall_parts
from reports.model import Result
from reports.study import Study


def html_report(document: Result | Study) -> str:
    """The whole page; the same document gives the same bytes.

    Text that came from outside (subjects, mailboxes, evidence) is escaped, whatever it holds.
    """
    if isinstance(document, Study):
        heading, sections = heading_of_study(document), list(_sections_of_study(document))
    else:
        heading, sections = heading_of_run(document), list(_sections_of_run(document))
    page = (
        _environment()
        .get_template("page.html")
        .render(
            heading=heading,
            sections=[section for section in sections if section.parts],
            asset=_asset,
            chip=verdict_chip,
        )
    )
    return page + "\n"


def _sections_of_run(result: Result) -> Iterator[Section]:
    yield Section(
        "targets", "Targets and what was achieved", tuple(target_parts(result.thresholds))
    )
    yield from _told_of_run(result, "The run as a timeline")
    yield from _lost_and_covered(result)
    yield from _closing(result, result)


def _sections_of_study(study: Study) -> Iterator[Section]:
    yield from study_sections(study)
    cell, run = worst_run(study)
    label = f"{cell.name}, seed {run.seed}" if cell.name else f"seed {run.seed}"
    yield from _told_of_run(run, f"The worst run as a timeline: {label}")
    yield distribution_section(study)
    yield from _lost_and_covered(run)
    yield from _closing(study, run)


def _told_of_run(result: Result, timeline_title: str) -> Iterator[Section]:
    clock = Clock(result.scenario, result.simulated_s)
    limits = (*what_if_parts(result), *phase_parts(result, clock))
    yield Section("what-if", "How long limits were exceeded", limits)
    figure = timeline_figure(result)
    drawn: tuple[Part, ...] = () if figure is None else (figure,)
    yield Section("timeline", timeline_title, (*drawn, *event_parts(result, clock)))
    steps = tuple(waterfall_parts(result, clock))
    yield Section("rto", "Until mail was back (RTO)", steps or (Prose(("No step was timed.",)),))
    yield Section("comparison", "Protections and copies", tuple(comparison_parts(result)))


def _lost_and_covered(result: Result) -> Iterator[Section]:
    clock = Clock(result.scenario, result.simulated_s)
    yield Section("losses", "Lost mail", tuple(loss_parts(result, clock)))
    yield Section("coverage", "Retention window", tuple(coverage_parts(result, clock)))


def _closing(document: Result | Study, run: Result) -> Iterator[Section]:
    yield Section("assumptions", "Assumptions", tuple(assumption_parts(run.assumptions)))
    yield Section("provenance", "Provenance", tuple(provenance_parts(document)))
    yield Section("replay", "Repeat it", tuple(replay_parts(document)))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: _file("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    """A style sheet or script to stand in the page as it is."""
    return _file("assets", name)


def _file(folder: str, name: str) -> str:
    return resources.files("reports.html").joinpath(folder, name).read_text(encoding="utf-8")
