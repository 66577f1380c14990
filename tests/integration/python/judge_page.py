"""Prints as JSON what a real browser finds in an HTML file: what it loads and runs, how it is built, how it fits
and how it can be read, in both colour schemes, on a phone, a desk and paper. An empty list is good news."""

import importlib.util
import json
import pathlib
import re
import sys

import chromium

# Widths in CSS pixels: a small phone, a desk, and the text width of A4 between the page's margins.
WIDTHS = (360, 1280)
PAPER = 688

STRUCTURE = """(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const ids = all("[id]").map(element => element.id);
  const levels = all("h1,h2,h3,h4,h5,h6").map(heading => Number(heading.tagName[1]));
  const handlers = all("*").flatMap(e => [...e.attributes]).filter(a => a.name.startsWith("on")).map(a => a.name);
  return {
    lang: document.documentElement.lang,
    scripts: document.scripts.length,
    handlers,
    h1: levels.filter(level => level === 1).length,
    skipped: levels.filter((level, place) => level > (place ? levels[place - 1] : 0) + 1).length,
    headers: all("th").length,
    unscoped: all("th:not([scope])").map(header => header.textContent),
    captionless: all("table:not([role=presentation])")
      .filter(table => table.querySelector("thead") && !table.caption?.textContent.trim()).length,
    links: all("a[href]").length,
    outward: all("a[href]").map(a => a.getAttribute("href")).filter(address => !address.startsWith("#")),
    dead: all("a[href^='#']").map(a => a.hash.slice(1)).filter(id => !document.getElementById(decodeURIComponent(id))),
    repeated: ids.filter((id, place) => ids.indexOf(id) !== place),
  };
})()"""

# How far the page reaches beyond its window. Tables may, inside boxes of their own that scroll.
BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 for large text.
CONTRAST = """(() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => {
    const mix = key => top[key] * top.a + under[key] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const canvas = matchMedia("(prefers-color-scheme: dark)").matches
    && getComputedStyle(document.documentElement).colorScheme.includes("dark")
    ? { r: 18, g: 18, b: 18, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), canvas);
  };
  const luminance = colour => {
    const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b);
  };
  const poor = new Map();
  let read = 0;
  const judge = (element, style, text) => {
    read += 1;
    const ground = behind(element);
    const [a, b] = [luminance(over(parse(style.color), ground)), luminance(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.set(`${style.color} ${ratio.toFixed(2)}`, text.slice(0, 40));
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (text && element.getClientRects().length) judge(element, getComputedStyle(element), text);
  }
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element, "::before");
    if (style.content !== "none" && style.content !== "normal" && element.getClientRects().length) {
      judge(element, style, style.content);
    }
  }
  return { read, poor: [...poor] };
})()"""

AXE = """axe.run(document, { resultTypes: ["violations"], runOnly: %s }).then(result => result.violations
  .map(found => `${found.id}: ${found.help}: ${found.nodes[0].html.slice(0, 120)}`))"""


def judge(browser, path, tags):
    address = path.resolve().as_uri()
    session = browser.open(address)
    # Counted before anything is asked of the page, which compiles scripts of our own.
    ran = [params["url"] for params in happened(browser, "Debugger.scriptParsed")]
    structure = browser.run(session, STRUCTURE)
    result = {"ran": ran, "structure": structure, "wide": [], "contrast": {}, "axe": {}}
    browser.run(session, axe() + "; 0")
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            browser.look(session, width, scheme)
            measure(browser, session, f"{scheme} {width}", result)
            result["axe"][f"{scheme} {width}"] = browser.run(session, AXE % json.dumps(tags))
    # Whoever prints has a dark screen, perhaps, and white paper.
    browser.look(session, PAPER, "dark", "print")
    measure(browser, session, "paper", result)
    browser.look(session, WIDTHS[1], "dark", "")
    result["pages"] = len(re.findall(rb"/Type\s*/Page\b", browser.pdf(session)))
    requests = [params["request"]["url"] for params in happened(browser, "Network.requestWillBeSent")]
    result["requests"] = [url for url in requests if url != address]
    # What a policy in the page stopped shows here only.
    result["complaints"] = [params["entry"]["text"] for params in happened(browser, "Log.entryAdded")]
    return result


def happened(browser, method):
    return [event["params"] for event in browser.events if event["method"] == method]


def measure(browser, session, name, result):
    if (beyond := browser.run(session, BEYOND)) > 0:
        result["wide"].append(f"{name}: {beyond} pixels too wide")
    result["contrast"][name] = browser.run(session, CONTRAST)


def axe():
    """The source of axe-core, which a Python package carries."""
    package = importlib.util.find_spec("axe_playwright_python")
    return pathlib.Path(package.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


with chromium.Chromium() as browser:
    tags = sys.argv[2].split(",")
    json.dump(judge(browser, pathlib.Path(sys.argv[1]), tags), sys.stdout)
