"""Prints as JSON what an HTML file is made of: tags, event handlers, addresses, texts, tags that do not match."""

import html.parser
import json
import sys

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags = [], {}
        self.found = {"handlers": [], "addresses": [], "mismatched": [], "texts": []}

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.found["handlers"].append(f"{tag} {name}")
            if name in {"href", "src", "srcset", "action", "data", "background"}:
                self.found["addresses"].append(value or "")

    def handle_endtag(self, tag):
        if tag in self.open:
            while (left := self.open.pop()) != tag:
                self.found["mismatched"].append(left)
        elif tag not in VOID:
            self.found["mismatched"].append(f"/{tag}")

    def handle_data(self, data):
        if data.strip():
            self.found["texts"].append(data)


reader = Reader()
with open(sys.argv[1], encoding="utf-8", errors="strict", newline="") as file:
    reader.feed(file.read())
reader.close()
json.dump({"tags": reader.tags, **reader.found}, sys.stdout)
