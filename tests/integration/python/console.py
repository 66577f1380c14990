"""The web console in Chromium, as people use it. Prints as JSON what is wrong: nothing, if all is well.

    console.py look PICTURES|- LINK PATH...      every page, narrow and wide, light and dark, by an accessibility checker
    console.py decide LINK REVIEW                a review carried through with the keyboard alone; prints the decisions, too
"""

import json
import re
import shutil
import sys
from importlib.resources import files
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import sync_playwright

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

STRUCTURE = """() => {
  const problems = [];
  const all = selector => [...document.querySelectorAll(selector)];
  for (const element of all('*')) {
    for (const attribute of element.attributes) {
      if (/^on/i.test(attribute.name)) problems.push('the handler ' + attribute.name);
      if (attribute.name === 'style') problems.push('an inline style: ' + attribute.value);
    }
  }
  if (all('script, iframe, object, embed, base, style').length) problems.push('an element that is not for the console');
  for (const th of all('th')) if (!th.scope) problems.push('th without scope: ' + th.textContent.slice(0, 40));
  if (all('h1').length !== 1) problems.push('not one h1');
  const ids = all('[id]').map(element => element.id);
  if (new Set(ids).size !== ids.length) problems.push('an id twice');
  if (!document.title.trim()) problems.push('no title');
  if (!all('link[rel=stylesheet]').every(link => link.sheet)) problems.push('the stylesheet was not loaded');
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    const wide = all('body *').filter(element => {
      if (element.getBoundingClientRect().right <= width + 1) return false;
      for (let around = element.parentElement; around; around = around.parentElement) {
        if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(around).overflowX)) return false;
      }
      return true;
    });
    problems.push('it scrolls sideways: ' + wide.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(' | '));
  }
  const small = all('a.button, button, input[type=checkbox], input[type=radio], select').filter(element => {
    const box = (element.closest('label') || element).getBoundingClientRect();
    return box.width > 0 && (box.width < 16 || box.height < 16);
  });
  if (small.length) problems.push('too small to hit: ' + small[0].outerHTML.slice(0, 100));
  return problems;
}"""


def sign_in(page, link):
    page.goto(link)
    with page.expect_navigation():
        page.get_by_role("button").first.click()
    origin = f"{urlsplit(link).scheme}://{urlsplit(link).netloc}"
    return origin


def watch(page, origin, problems):
    """Notes what a page should not do."""
    page.on("request", lambda request: None if request.url.startswith(origin) else problems.append(f"it asks for {request.url[:100]}"))
    page.on("console", lambda message: problems.append(f"the browser says: {message.text[:150]}"))
    page.on("pageerror", lambda error: problems.append(f"an error: {error}"))
    page.on("dialog", lambda dialog: (problems.append(f"it runs a script: {dialog.message}"), dialog.dismiss()))


def look(browser, pictures, link, paths):
    problems = []
    first = browser.new_context()
    origin = sign_in(first.new_page(), link)
    state = first.storage_state()
    first.close()
    for width, height in ((390, 844), (1280, 900)):
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=state
            )
            page = context.new_page()
            found = []
            watch(page, origin, found)
            for path in paths:
                del found[:]
                response = page.goto(urljoin(origin, path))
                if response.status != 200:
                    found.append(f"status {response.status}")
                found += page.evaluate(STRUCTURE)
                if pictures != "-":
                    name = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "id", path.lower())).strip("-") or "overview"
                    page.screenshot(path=f"{pictures}/{name}-{width}-{scheme}.png", full_page=True)
                problems += [f"{path}, {width} px, {scheme}: {problem}" for problem in found]
            context.close()
            # A page of the console runs no script; the checker has to.
            if (width, scheme) in [(390, "dark"), (1280, "light")]:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=state, bypass_csp=True
                )
                page = context.new_page()
                for path in paths:
                    page.goto(urljoin(origin, path))
                    page.evaluate(AXE)
                    result = page.evaluate("options => axe.run(document, options)", AXE_OPTIONS)
                    if not result["passes"]:
                        problems.append(f"{path}: axe looked at nothing")
                    for violation in result["violations"]:
                        for node in violation["nodes"][:2]:
                            problems.append(
                                f"{path}, {width} px, {scheme}: axe {violation['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
                            )
                context.close()
    return {"problems": problems}


def focused(page):
    return page.evaluate(
        "() => { const e = document.activeElement; return {tag: e.tagName, name: e.name || '', value: e.value || '', text: e.textContent.trim().slice(0, 60)} }"
    )


def rendered(page):
    """Waits for two frames: the browser moves the focus to `autofocus` before it draws the first one, and not when the page is loaded."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def tab_to(page, is_it, most=80):
    """Presses Tab until the focus is there."""
    for _ in range(most):
        if is_it(focused(page)):
            return
        page.keyboard.press("Tab")
    raise SystemExit(f"the keyboard does not reach it: {focused(page)} on {page.url}")


def decide(browser, link, review):
    """Decides about every account with the keyboard alone: the first is removed, the second changed, the others are kept."""
    problems, decided = [], []
    context = browser.new_context(java_script_enabled=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    origin = sign_in(page, link)
    watch(page, origin, problems)
    page.goto(f"{origin}/reviews/{review}")
    page.keyboard.press("Tab")
    tab_to(page, lambda at: at["text"].startswith("Decide one after another"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for number in range(500):
        if "/items/" not in page.url:
            break
        rendered(page)
        at = focused(page)
        if not at["text"].startswith("Decision about"):
            problems.append(f"the focus is not on the decision: {at}")
        tab_to(page, lambda at: at["name"] == "decision")
        word = {0: "remove", 1: "change"}.get(number, "keep")
        page.keyboard.press("Space")
        for _ in range(("keep", "change", "remove").index(word)):
            page.keyboard.press("ArrowDown")
        tab_to(page, lambda at: at["name"] == "target")
        if word == "change":
            page.keyboard.press("ArrowDown")
        tab_to(page, lambda at: at["name"] == "reason")
        page.keyboard.type(f"by keyboard, number {number}")
        decided.append([page.url.split("?")[0].rsplit("/", 1)[1], word])
        with page.expect_navigation():
            page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    tab_to(page, lambda at: at["name"] == "confirmed")
    page.keyboard.press("Space")
    tab_to(page, lambda at: at["text"] == "Confirm my decisions")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    if "Your decisions are confirmed" not in page.content():
        problems.append("it does not say that the decisions are confirmed")
    context.close()
    return {"problems": problems, "decided": decided}


def main():
    what, *rest = sys.argv[1:]
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or sys.exit("chromium is missing: tests/run installs it")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        answer = look(browser, rest[0], rest[1], rest[2:]) if what == "look" else decide(browser, *rest)
        browser.close()
    json.dump(answer, sys.stdout)


main()
