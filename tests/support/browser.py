"""Looking at letters: HTML mails in a real browser, on a phone (390 px) and on a desk (1000 px)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from html import escape, unescape
from pathlib import Path

WIDTHS = (390, 1000)
BROWSERS = tuple(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))

# Both widths side by side; the script waits for the letters and notes what it measured where --dump-dom shows it.
_WRAPPER = """<!doctype html><meta charset="utf-8"><body style="margin:0;background:#bbb">
{frames}
<pre id="measured" hidden></pre>
<script>
addEventListener("load", () => {{
  measured.textContent = JSON.stringify([...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument.documentElement;
    const box = element => element.getBoundingClientRect();
    const words = [...page.querySelectorAll("body *")].filter(element => element.innerText);
    const sizes = words.map(element => parseFloat(getComputedStyle(element).fontSize));
    return {{
      name: frame.name, width: frame.width, height: page.scrollHeight, smallest: Math.min(...sizes),
      over: Math.max(page.scrollWidth, ...[...page.querySelectorAll("*")].map(e => box(e).right)) - page.clientWidth,
    }};
  }}));
}});
</script>
"""
_FRAME = '<iframe name="{name}" width="{width}" height="{height}" style="border:0;background:#fff" srcdoc="{html}"></iframe>'


def measure(browser: str, pages: Mapping[str, str]) -> list[dict[str, float | str]]:
    """What the browser makes of each page at each width: height, pixels over the right edge, smallest font."""
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder, "wrapper.html")
        wrapper.write_text(_wrap(pages, {}), encoding="utf-8")
        shown = _run(browser, folder, "--dump-dom", "--window-size=1500,1000", wrapper.as_uri())
    found = re.search(r'<pre id="measured"[^>]*>(.*?)</pre>', shown, re.DOTALL)
    return json.loads(unescape(found[1])) if found and found[1] else []


def render_pages(html_files: Iterable[Path], out_dir: Path, browser: str = BROWSERS[0] if BROWSERS else "") -> list[Path]:
    """One PNG for each file, both widths side by side, at its full height."""
    pages = {file.stem: file.read_text(encoding="utf-8") for file in html_files}
    heights: dict[str, int] = {}
    for seen in measure(browser, pages):
        heights[str(seen["name"])] = max(heights.get(str(seen["name"]), 0), int(seen["height"]))
    out_dir.mkdir(parents=True, exist_ok=True)
    return [_picture(browser, name, html, heights[name], out_dir / f"{name}.png") for name, html in pages.items()]


def _picture(browser: str, name: str, html: str, height: int, target: Path) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder, "wrapper.html")
        wrapper.write_text(_wrap({name: html}, {name: height}), encoding="utf-8")
        size = f"--window-size={sum(WIDTHS) + 20},{height + 20}"
        _run(browser, folder, f"--screenshot={target}", size, wrapper.as_uri())
    return target


def _wrap(pages: Mapping[str, str], heights: Mapping[str, int]) -> str:
    frames = (
        _FRAME.format(name=escape(name), width=width, height=heights.get(name, 400), html=escape(html))
        for name, html in pages.items()
        for width in WIDTHS
    )
    return _WRAPPER.format(frames="\n".join(frames))


def _run(browser: str, folder: str, *wanted: str) -> str:
    quiet = ("quic", "background-networking", "component-update", "sync", "gpu")
    options = ["--headless", "--no-sandbox", "--no-first-run", "--hide-scrollbars", *(f"--disable-{word}" for word in quiet)]
    command = [browser, *options, f"--user-data-dir={folder}/profile", *wanted]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
