"""The page in a real browser: offline, quiet, zoomable, reachable by keyboard, sound, printable."""

import io
import re

import pytest


@pytest.fixture
def opened(browser):
    """Opens a page offline and returns it; no request may leave it, nothing may be complained."""
    contexts, requests, complaints = [], [], []

    def open_page(address, width=1280, scheme="light", **options):
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, **options)
        contexts.append(context)
        context.set_offline(True)
        context.on("request", lambda request: requests.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


def view_of(page):
    root = page.locator(".timeline").first
    return float(root.get_attribute("data-from")), float(root.get_attribute("data-to"))


def test_it_opens_offline_and_says_its_verdict(opened, pages, real_result):
    page = opened(pages["real"])
    assert page.title().startswith(f"{real_result.verdict.value}: The site is lost")
    assert page.locator(".live canvas").count() == 4
    assert page.locator("h1").inner_text() == real_result.scenario.title


def test_without_javascript_the_headline_the_curves_and_the_waterfall_are_there(opened, pages):
    page = opened(pages["real"], java_script_enabled=False)
    assert page.locator(".verdict").is_visible()
    for place in (".panel svg", ".lane svg", ".waterfall svg", "#targets table", "#losses table"):
        assert page.locator(place).first.is_visible()
        assert page.locator(place).first.bounding_box()["width"] > 300
    assert page.locator("details table").first.is_hidden()
    page.locator("summary").first.click()
    assert page.locator("details table").first.is_visible()


def test_the_timeline_zooms_by_mouse(opened, pages):
    page = opened(pages["real"])
    whole = view_of(page)
    plot = page.locator(".plots .u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.50, box["y"] + 40, steps=4)
    page.mouse.up()
    zoomed = view_of(page)
    assert zoomed == pytest.approx((whole[1] * 0.25, whole[1] * 0.5), abs=whole[1] * 0.02)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(f"{zoomed[1] - zoomed[0]} > {LENGTH}")
    page.mouse.dblclick(box["x"] + 200, box["y"] + 40)
    page.wait_for_function(f"{LENGTH} === {whole[1]}")
    assert "10:00" in page.locator(".live output").inner_text()


LENGTH = (
    "(document.querySelector('.timeline').dataset.to - "
    "document.querySelector('.timeline').dataset.from)"
)


def test_the_timeline_zooms_and_moves_by_keyboard(opened, pages):
    page = opened(pages["real"])
    whole = view_of(page)
    page.locator(".plots").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    zoomed = view_of(page)
    assert zoomed[1] - zoomed[0] == pytest.approx(whole[1] / 4, rel=0.01)
    page.keyboard.press("ArrowRight")
    moved = view_of(page)
    assert moved[0] > zoomed[0]
    page.keyboard.press("ArrowLeft")
    assert view_of(page) == pytest.approx(zoomed)
    page.keyboard.press("-")
    page.keyboard.press("Home")
    assert view_of(page) == whole
    page.keyboard.press("-")
    assert view_of(page) == whole


def test_the_keyboard_reaches_every_control_and_the_focus_is_seen(opened, pages):
    page = opened(pages["real"])
    controls = page.evaluate(
        "[...document.querySelectorAll('a[href], button, summary, [tabindex=\"0\"]')].length"
    )
    reached = []
    for _ in range(controls):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert len({place for place, _ in reached}) == controls
    assert all(is_seen for _, is_seen in reached), [place for place, seen in reached if not seen]


FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const all = [...document.querySelectorAll('*')];
  const box = element.getBoundingClientRect();
  const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
    && box.left >= 0 && box.top >= 0 && box.top <= innerHeight;
  return [all.indexOf(element), isSeen];
}"""


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("real", 1280, "light"),
        ("real", 400, "dark"),
        ("study", 400, "light"),
        ("study", 1280, "dark"),
    ],
)
def test_axe_finds_nothing_serious(opened, pages, name, width, scheme, figure):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    page = opened(pages[name], width, scheme)
    page.evaluate(OPEN_ALL)
    answer = axe.Axe().run(page).response
    found = [
        (violation["id"], violation["impact"], [node["html"][:120] for node in violation["nodes"]])
        for violation in answer["violations"]
    ]
    assert found == []
    figure(f"{len(answer['passes'])} rules passed, none violated")


def test_no_page_is_wider_than_its_window_or_its_paper(opened, pages):
    page = opened(pages["real"])
    for name, address in pages.items():
        page.goto(address)
        page.evaluate(OPEN_ALL)
        for media, width in (("screen", 1280), ("screen", 400), ("print", 695), ("print", 720)):
            page.emulate_media(media=media)
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(TOO_WIDE) == [], (name, media, width)


OPEN_ALL = "document.querySelectorAll('details').forEach((it) => { it.open = true; })"


def test_paper_has_everything_and_cuts_nothing(opened, pages):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    page = opened(pages["real"])
    for name in ("real", "study"):
        page.goto(pages[name])
        page.emulate_media(media="null")
        document = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
        printed = squeezed("".join(sheet.extract_text() for sheet in document.pages))
        page.emulate_media(media="print")
        texts = page.evaluate(PRINTED_TEXTS)
        assert len(texts) > 50
        missing = [text for text in texts if squeezed(text) not in printed]
        assert missing == []
        assert "zoomin" not in printed


def squeezed(text):
    """Letters alone: a PDF breaks lines, and has ligatures and capitals, where it likes."""
    plain = text.replace("\ufb01", "fi").replace("\ufb02", "fl").replace("\ufb00", "ff")
    plain = plain.replace("\ufb03", "ffi").replace("\ufb04", "ffl")
    return re.sub(r"[\s\u00ad-]+", "", plain).casefold()


PRINTED_TEXTS = """() => {
  const LEFT_OUT = 'script, style, svg, .live, nav, .skip, summary, .ticks';
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.closest(LEFT_OUT)) continue;
    texts.push(text);
  }
  return [...new Set(texts)];
}"""

TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter((element) => element.getClientRects().length
    && element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    && !element.closest('svg, .ticks, .skip, .live'))
  .slice(0, 20).map((element) => `${element.tagName}.${element.className} in `
    + (element.closest('table')?.caption?.textContent ?? element.textContent.slice(0, 60)))"""
