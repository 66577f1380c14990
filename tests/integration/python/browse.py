"""Opens a page in Chromium as its readers do, and prints as JSON what is wrong with it: nothing, if all is well.

    browse.py page|mail FILE.html
"""

import json
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import sync_playwright

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "rules": {}}
# The width of A4 between the page's margins, in CSS pixels.
PAPER = 688
# A mail is shown inside the page of a mail program, which has the landmarks.
NOT_OF_MAILS = ["landmark-one-main", "region"]

STRUCTURE = """() => {
  const problems = [];
  const all = selector => [...document.querySelectorAll(selector)];
  if (all('script').length) problems.push('a script element');
  for (const element of all('*')) {
    for (const attribute of element.attributes) {
      if (/^on/i.test(attribute.name)) problems.push('the handler ' + attribute.name);
      if (/^\\s*javascript:/i.test(attribute.value)) problems.push('a javascript: address');
    }
  }
  if (all('iframe, object, embed, form, link[rel=stylesheet], base').length) problems.push('an element that loads');
  for (const th of all('th')) if (!th.scope) problems.push('th without scope: ' + th.textContent.slice(0, 40));
  const layout = table => table.getAttribute('role') === 'presentation';
  for (const table of all('table')) if (!layout(table) && !table.querySelector('th')) problems.push('a table without th');
  const levels = all('h1, h2, h3, h4, h5, h6').map(heading => Number(heading.tagName[1]));
  if (levels.filter(level => level === 1).length !== 1) problems.push('not one h1');
  levels.forEach((level, place) => { if (place && level > levels[place - 1] + 1) problems.push('a heading skips a level'); });
  const ids = all('[id]').map(element => element.id);
  if (new Set(ids).size !== ids.length) problems.push('an id twice');
  for (const link of all('a[href^="#"]')) {
    if (!document.getElementById(decodeURIComponent(link.getAttribute('href').slice(1)))) problems.push('a link to nowhere: ' + link.getAttribute('href'));
  }
  if (!document.documentElement.lang) problems.push('no language');
  if (!document.title.trim()) problems.push('no title');
  return problems;
}"""

WIDTH = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return null;
  const wide = [...document.querySelectorAll('body *')].filter(element => {
    if (element.getBoundingClientRect().right <= width + 1) return false;
    for (let around = element.parentElement; around; around = around.parentElement) {
      if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(around).overflowX)) return false;
    }
    return true;
  });
  return document.documentElement.scrollWidth + ' wide: ' + wide.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(' | ');
}"""

# What shows a gap at a glance is of no use where one has to scroll for it.
CALENDARS = """() => [...document.querySelectorAll('.calendar')].filter(
  calendar => calendar.parentElement.scrollWidth > calendar.parentElement.clientWidth
).length"""


def check(page):
    page.evaluate(AXE)
    found = page.evaluate("options => axe.run(document, options)", AXE_OPTIONS)
    if not found["passes"]:
        yield "axe looked at nothing"
    for violation in found["violations"]:
        for node in violation["nodes"][:2]:
            yield f"axe {violation['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"


def look(browser, address, width, scheme):
    view = f"{width} px, {scheme}"
    problems = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.on("request", lambda request: request.url != address and problems.append(f"it asks for {request.url[:100]}"))
    page.route("**/*", lambda route: route.continue_() if route.request.url == address else route.abort())
    page.on("console", lambda message: problems.append(f"the console says: {message.text[:100]}"))
    page.on("pageerror", lambda error: problems.append(f"an error: {error}"))
    page.on("dialog", lambda dialog: (problems.append(f"it runs a script: {dialog.message}"), dialog.dismiss()))
    page.goto(address)
    problems += page.evaluate(STRUCTURE)
    wide = page.evaluate(WIDTH)
    if wide:
        problems.append(f"it scrolls sideways, {wide}")
    if hidden := page.evaluate(CALENDARS):
        problems.append(f"{hidden} calendars are cut off")
    # The checker takes its time: each width once, and each scheme once.
    if (width, scheme) in [(360, "dark"), (1280, "light")]:
        problems += check(page)
    if width > 1000 and scheme == "light":
        pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf()))
        if not 1 <= pages <= 60:
            problems.append(f"it prints on {pages} pages")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PAPER, "height": 900})
        if wide := page.evaluate(WIDTH):
            problems.append(f"paper cuts it off, {wide}")
    context.close()
    return [f"{view}: {problem}" for problem in problems]


def main():
    kind, file = sys.argv[1:]
    if kind == "mail":
        AXE_OPTIONS["rules"] = {rule: {"enabled": False} for rule in NOT_OF_MAILS}
    address = Path(file).resolve().as_uri()
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or sys.exit("chromium is missing: tests/run installs it")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        problems = [p for width in (360, 1280) for scheme in ("light", "dark") for p in look(browser, address, width, scheme)]
        browser.close()
    json.dump(problems, sys.stdout)


main()
