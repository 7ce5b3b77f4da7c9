"""The page of the service in a browser. Skipped unless Playwright and Chromium are there:

pip install playwright && apt-get install chromium
"""

import os
import runpy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from own_process import wait_until
from pdf_files import numbered
from test_serve_process import FAKE, Server, serving

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

SAMPLE = runpy.run_path(str(Path(__file__).parent.parent / "examples" / "sample.py"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser, whose sandbox root may not use."""
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:  # noqa: ANN401
    """A way to open the page of a service, which may neither fail nor ask anybody else."""
    told: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 860}, accept_downloads=True)

    def open_page(server: Server) -> Any:  # noqa: ANN401
        here = f"http://127.0.0.1:{server.port}/"
        page = context.new_page()
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("console", lambda message: told.append(message.text) if "Policy" in message.text else None)
        page.on("request", lambda request: told.append(request.url) if not is_ours(request.url, here) else None)
        page.goto(here)
        return page

    yield open_page
    context.close()
    assert told == []


def is_ours(url: str, here: str) -> bool:
    """Return True for what the service has, and for what the page has made itself."""
    return url.startswith((here, f"blob:{here}"))


def wait_for(page: Any, selector: str, text: str) -> None:  # noqa: ANN401
    """Wait for a text. The page's policy forbids the browser to evaluate what would wait there."""
    sync_api.expect(page.locator(selector)).to_contain_text(text, timeout=30_000)


def test_a_picture_is_shown_with_its_lines(open_page: Callable[..., Any], models_dir: Path, tmp_path: Path) -> None:
    command = ("-m", "ferrocr", "serve", "--port", "0", "--model-dir", str(models_dir))
    SAMPLE["draw_sample"](tmp_path / "invoice.png")
    with serving(*command) as server:
        wait_until(lambda: server.ask("GET", "/health/ready").status == 200, "it is ready")
        page = open_page(server)
        page.set_input_files("#file", str(tmp_path / "invoice.png"))
        wait_for(page, "#status", "1 page, ")
        lines = page.locator("#lines button").count()
        assert lines > 10
        assert page.locator("#overlay polygon").count() == lines
        page.check("#words")
        assert page.locator("#overlay polygon.word").count() > lines

        page.fill("#search", "total")
        page.press("#search", "Enter")
        wait_for(page, "#about", "otal")
        assert page.locator("#lines mark").count() >= 1
        assert page.locator("#overlay polygon.hit").count() >= 1
        page.uncheck("#words")
        page.locator("#overlay polygon").nth(0).hover()
        wait_for(page, "#about", "Line 1 of")
        page.locator("#overlay polygon").nth(2).click()
        assert page.locator("#lines button[aria-current=true]").get_attribute("data-line") == "2"
        page.keyboard.press("ArrowDown")
        wait_for(page, "#about", "Line 4 of")
        if shot := os.environ.get("FERROCR_SCREENSHOT"):
            page.locator("#overlay polygon").nth(6).click()
            page.screenshot(path=shot)

        page.select_option("#format", "hocr")
        with page.expect_download() as download:
            page.click("#download")
        assert download.value.suggested_filename == "invoice.png.hocr"
        assert "ocr_page" in Path(download.value.path()).read_text(encoding="utf-8")

        (tmp_path / "three.pdf").write_bytes(numbered(3))
        page.set_input_files("#file", str(tmp_path / "three.pdf"))
        wait_for(page, "#status", "3 pages")
        page.click("#next")
        assert page.input_value("#page") == "2"
        sync_api.expect(page.locator("#picture")).to_have_attribute("alt", "Page 2")
        wait_until(lambda: page.locator("#picture").evaluate("image => image.naturalWidth") > 0, "the page is shown")


def test_text_of_a_document_is_never_a_part_of_the_page(open_page: Callable[..., Any], tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)><b id=evil>bold</b>"
    (tmp_path / "evil.png").write_text(evil, encoding="utf-8")
    with serving("-c", FAKE, "{'keys': ('right',)}") as server:
        page = open_page(server)
        page.set_input_files("#file", str(tmp_path / "evil.png"))
        wait_for(page, "#error", "the key is missing or wrong")
        page.fill("#key", "right")
        page.click("#again")
        wait_for(page, "#lines", evil)
        page.fill("#search", "<b")
        assert page.locator("#lines mark").inner_text() == "<b"
        assert page.locator("#evil").count() == 0


FILE_OF = "text => { const d = new DataTransfer(); d.items.add(new File([text], text + '.png', { type: 'image/png' }))"


def test_files_are_dropped_and_pasted(open_page: Callable[..., Any]) -> None:
    with serving("-c", FAKE, "{}") as server:
        page = open_page(server)
        drop = "document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true })) }"
        page.evaluate(f"{FILE_OF}; {drop}", "dropped")
        wait_for(page, "#lines", "dropped")
        paste = "document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: d })) }"
        page.evaluate(f"{FILE_OF}; {paste}", "pasted")
        wait_for(page, "#lines", "pasted")


def test_what_takes_long_can_be_stopped(open_page: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "long.png").write_text("!wait", encoding="utf-8")
    with serving("-c", FAKE, "{}") as server:
        page = open_page(server)
        page.set_input_files("#file", str(tmp_path / "long.png"))
        wait_until(lambda: server.metric("ferrocr_in_flight 1"), "it is read")
        page.click("#stop")
        wait_for(page, "#status", "Stopped.")
        wait_until(lambda: server.metric("ferrocr_in_flight 0"), "nothing is read")


def test_the_description_is_shown(open_page: Callable[..., Any]) -> None:
    with serving("-c", FAKE, "{}") as server:
        page = open_page(server)
        page.click("nav a")
        wait_for(page, "#paths", "POST /v1/read")
