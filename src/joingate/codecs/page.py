"""The frame of every page the gate shows a person: one style, no script, nothing fetched from anywhere.

The page says where its reader is and what was tried, so no third party may hear of its being read: no font, image or
script is loaded, and the policy below forbids what the page does not ask for anyway.
"""

import hashlib
from base64 import b64encode
from html import escape

from joingate.codecs.negotiation import Language

# Control characters are parse errors in HTML and mean nothing in a rule's text; line breaks and tabs stay.
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ") | {0x09: "\t", 0x0A: "\n"}

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f5f2; --sheet: #ffffff; --ink: #1d1f23; --quiet: #5b616b; --line: #dedbd4; --accent: #1f5c78;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --sheet: #1d2024; --ink: #e8e6e1; --quiet: #a3a8b0; --line: #363a41; --accent: #8cc3dd;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; padding: 1.25rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere;
}
body:lang(zh-Hans) {
  font-family: system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
}
body:lang(zh-Hant) {
  font-family: system-ui, -apple-system, "PingFang TC", "Microsoft JhengHei", "Noto Sans CJK TC", sans-serif;
}
body:lang(zh) { line-height: 1.75; }
main {
  max-width: 42rem; margin: 0 auto; padding: 1.5rem 1.25rem 1.75rem; background: var(--sheet);
  border: 1px solid var(--line); border-radius: .75rem;
}
.kind { display: flex; align-items: center; gap: .6rem; margin: 0; color: var(--accent); font-weight: 600; }
.kind svg { flex: none; }
h1 { margin: .8rem 0 .6rem; font-size: 1.6rem; line-height: 1.25; font-weight: 650; text-wrap: balance; }
h2 { margin: 2rem 0 .35rem; font-size: 1.05rem; line-height: 1.4; font-weight: 650; }
p { margin: .35rem 0 .6rem; }
ol, ul { margin: .35rem 0 .6rem; padding-inline-start: 1.4rem; }
li { margin: .45rem 0; padding-inline-start: .15rem; }
li strong { display: block; font-weight: 600; }
li::marker { color: var(--quiet); }
.lead { font-size: 1.1rem; line-height: 1.55; }
.assurance { margin: 1rem 0 0; padding-inline-start: .9rem; border-inline-start: 3px solid var(--accent); }
dl { margin: 1.5rem 0 0; border-top: 1px solid var(--line); }
dl div { padding: .6rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); font-size: .9rem; }
dd { margin: 0; white-space: pre-line; }
code { font: .92em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
summary { cursor: pointer; }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
.receipt { margin: .5rem 0; padding: .7rem .9rem; border: 1px dashed var(--quiet); border-radius: .5rem; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
footer { max-width: 42rem; margin: 1.25rem auto 0; padding: 0 1.25rem; color: var(--quiet); font-size: .9rem; }
@media (min-width: 40rem) {
  body { padding-top: 3rem; }
  main { padding: 2.5rem 2.75rem; }
  h1 { font-size: 1.9rem; }
  dl div { display: grid; grid-template-columns: 13rem 1fr; gap: 1rem; align-items: baseline; }
  footer { padding: 0 2.75rem; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --sheet: #fff; --ink: #000; --quiet: #444; --line: #bbb; --accent: #000;
  }
  body { padding: 0; font-size: 10.5pt; }
  main, footer { max-width: none; padding: 0; border: 0; }
  h2 { break-after: avoid; }
  dl div, .receipt { break-inside: avoid; }
}
"""

# Framing is not forbidden: meetings are embedded in other sites' pages, and there too the person must see the notice.
_STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest())
POLICY = (
    b"Content-Security-Policy: default-src 'none'; style-src 'sha256-%b'; base-uri 'none'; form-action 'none'\r\n"
    % _STYLE_HASH
)
"""The field line that goes with every page."""

# An arch, open; decoration, so hidden from screen readers.
_MARK = (
    '<svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M2 23h4V12a7 7 0 0 1 14 0v11h4M10 23V12a3 3 0 0 1 6 0v11"/></svg>'
)


def text(value: str) -> str:
    """Escape `value` for HTML text and quoted attributes."""
    return escape(value.translate(_CONTROLS))


def fill(template: str, **values: str) -> str:
    """Fill a sentence of ours with words that are not: escaped, and isolated, lest they turn its direction round."""
    return text(template).format_map({name: f"<bdi>{text(value)}</bdi>" for name, value in values.items()})


def document(language: Language, *, title: str, kind: str, main: str, footer: str) -> bytes:
    """Put a page together.

    Args:
        language: of the whole page.
        title: plain text: the heading, and the window's title.
        kind: plain text above the heading.
        main: HTML below the heading.
        footer: HTML.
    """
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{text(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="kind">{_MARK}<span>{text(kind)}</span></p>
<h1>{text(title)}</h1>
{main}
</main>
<footer>
{footer}
</footer>
</body>
</html>
""".encode()
