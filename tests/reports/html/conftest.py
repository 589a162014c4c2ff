"""One browser for all tests, and pages of a run, a study, and runs of other kinds."""

import shutil
from pathlib import Path

import pytest

from reports import Amount, Loss
from reports.html import html_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium; no browser is ever downloaded."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        # As root, which CI is, chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def real_result():
    import scenarios
    from rpolab.laboratory.running import run_scenario

    checked = scenarios.check_text(SCENARIO, "scenario.yaml", Path())
    assert checked.scenario is not None, checked.problems
    return run_scenario(checked.scenario, replay="rpolab run scenario.yaml --seed 4").result


@pytest.fixture(scope="session")
def pages(folder, sample, hostile_result, real_result):
    """Pages of results of all kinds, by name; 'real' lost its site, and a log that it needs."""
    messages = tuple(sample.lost_message(number, f"subject {number}") for number in range(2_000))
    many = sample.disaster(lost=Loss(messages=2_000, bytes=1), lost_messages_list=messages)
    refused = sample.disaster(
        outcome="refused", point=None, rpo_s=None, reported_rpo_s=None, lost=None,
        lost_messages_list=(), rto_s=None, rto_steps=(), refusal="E0000002A.log is missing",
    )  # fmt: skip
    groups = tuple(
        {"name": f"SG{number}", "outcome": "recovered", "lost": {"messages": 0, "bytes": 0}}
        for number in range(1, 6)
    )
    last = {"name": "SG6", "outcome": "recovered", "lost": {"messages": 3, "bytes": 7_035}}
    six = sample.disaster(groups=(*groups, last))
    [protection] = sample.result().protections
    idle = protection.model_copy(
        update={"recoveries": (), "acknowledged": Amount(messages=0, bytes=0)}
    )
    documents = {
        "real": real_result,
        "study": sample.study(),
        "many-lost": sample.result(many),
        "refused": sample.result(refused),
        "groups": sample.result(type(six).model_validate(six.model_dump(by_alias=True))),
        "no-drill": sample.result(protections=(idle,)),
        "bare": sample.result(protections=(), thresholds=(), faults=(), assumptions=()),
        "hostile": hostile_result,
    }
    return {
        name: written(folder / f"{name}.html", html_report(document))
        for name, document in documents.items()
    }


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


SCENARIO = """
title: The site is lost, and so is a log that its recovery needs
seed: 4
date: 2007-06-04
start: 10:00
duration: 6 min
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 20, profile: very_heavy}
sites: {primary: {}, recovery: {}}
links: [{between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms, loss: 0.1 %}]
protect:
  cdp: {kind: cdp, copies: [{site: recovery, retention: 48 h}], bookmarks: {every: 1 min}}
faults:
  - {at: 10:02, kind: link_outage, between: [primary, recovery], duration: 1 min}
  - {at: 10:05, kind: lost_log, protection: cdp, which: current}
  - {at: 10:05:01, kind: site_loss, site: primary}
drills: {at: [10:01, 10:04]}
thresholds:
  cdp.rpo: ["max < 30 s"]
  cdp.lost_messages: ["max <= 200"]
"""
