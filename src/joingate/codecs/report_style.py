"""How the report looks: the style of the gate's other pages, with tables and charts, on a screen, a phone and paper.

Colours of bars stand out from their ground by 4.5 to 1 at least, and what they tell is told by a pattern as well.
"""

from typing import Final

from joingate.codecs.page import STYLE

REPORT_STYLE: Final = (
    STYLE
    + """
:root { --first: #1f5c78; --second: #a34a12; --mask: #5b616b; --grid: #dedbd4; --alarm: #a3161b; }
@media (prefers-color-scheme: dark) {
  :root { --first: #8cc3dd; --second: #f0a36b; --mask: #a3a8b0; --grid: #363a41; --alarm: #ff9b94; }
}
main { max-width: 68rem; }
header > p, section > p, .method p { max-width: 46rem; }
section { margin-top: 3rem; scroll-margin-top: 1rem; }
h1 { margin-bottom: .2rem; }
h2 { margin: 0 0 .35rem; font-size: 1.35rem; line-height: 1.3; }
h3 { margin: 1.1rem 0 .15rem; font-size: 1rem; font-weight: 650; }
.subject { margin: 0 0 .25rem; font-size: 1.15rem; }
.period { margin: 0 0 1.25rem; color: var(--quiet); }
.note { color: var(--quiet); font-size: .9rem; }
nav { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .95rem; }
nav ul { margin: 0; padding: 0; list-style: none; columns: 16rem; }
nav li { margin: 0; padding: .15rem 0; break-inside: avoid; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; }
.figures { margin: 1rem 0; padding: 0; list-style: none; }
.figures li { margin: 0; padding: .7rem .9rem .8rem; border: 1px solid var(--line); border-radius: .5rem; }
.figures li { border-inline-start: 4px solid var(--accent); line-height: 1.4; font-size: .95rem; }
.figures li strong { font-size: 2.2rem; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures li.alarm { border-color: var(--alarm); color: var(--alarm); font-weight: 600; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .95rem; line-height: 1.4; }
table { font-variant-numeric: tabular-nums; }
table.short { max-width: 36rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--line); text-align: start; vertical-align: top; }
th, td { overflow-wrap: break-word; }
th:first-child { padding-inline-start: 0; }
th:last-child, td:last-child { padding-inline-end: 0; }
thead th { color: var(--quiet); font-size: .85rem; font-weight: 600; line-height: 1.3; vertical-align: bottom; }
thead th { border-bottom: 2px solid var(--line); }
tbody th, tfoot th { font-weight: 500; }
tbody th { overflow-wrap: anywhere; }
tfoot th, tfoot td { border-top: 2px solid var(--line); border-bottom: 0; font-weight: 650; }
.sub { display: block; color: var(--quiet); font-size: .85rem; font-weight: 400; }
.numbers td, .numbers thead th + th { text-align: end; }
.numbers td { white-space: nowrap; }
.texts td { font-size: .9rem; }
.texts.short td { overflow-wrap: anywhere; }
.texts:not(.short) tbody th { min-width: 10rem; }
figure { margin: 1.25rem 0 0; }
figcaption { margin-bottom: .3rem; font-weight: 600; }
.pair, .stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem 3rem; }
svg.chart { display: block; width: 100%; overflow: visible; font: 12px/1 system-ui, sans-serif; }
svg.chart text { fill: var(--quiet); }
svg.chart line { stroke: var(--grid); stroke-width: 1; }
svg.chart line.base { stroke: var(--quiet); }
.first { fill: var(--first); }
.second { fill: url(#second); stroke: var(--second); stroke-width: 1; }
.masked { fill: url(#masked); stroke: var(--mask); stroke-width: 1; stroke-dasharray: 2 2; }
.stripe { stroke: var(--second); stroke-width: 3; }
.dot { fill: var(--mask); }
.patterns { position: absolute; width: 0; height: 0; }
.bars { margin: .4rem 0 0; padding: 0; list-style: none; font-size: .9rem; line-height: 1.35; }
.bars li { margin: 0 0 .65rem; padding: 0; break-inside: avoid; }
.bars span { display: block; margin-bottom: .25rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 .75rem; padding: 0; list-style: none; }
.legend li { display: flex; align-items: center; gap: .45rem; margin: 0; padding: 0; font-size: .85rem; }
.legend svg { flex: none; }
@media (min-width: 44rem) {
  .figures { grid-template-columns: repeat(3, 1fr); }
}
@media (min-width: 60rem) {
  .pair { grid-template-columns: minmax(0, 6fr) minmax(0, 5fr); align-items: start; }
  .method { columns: 2; column-gap: 3rem; }
  .method div { break-inside: avoid; padding-bottom: .9rem; }
  .method h3 { margin-top: 0; }
}
@media screen and (max-width: 52rem) {
  .wide, .wide tbody, .wide tfoot, .wide tr, .wide th, .wide td { display: block; }
  .wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .wide tr { padding: .7rem 0; border-bottom: 1px solid var(--line); }
  .wide th, .wide td { padding: .1rem 0; border: 0; overflow-wrap: anywhere; }
  .texts.wide tbody th { min-width: 0; }
  .wide tbody th, .wide tfoot th { padding-bottom: .3rem; font-weight: 650; }
  .wide td { display: flex; justify-content: space-between; gap: 1.5rem; text-align: end; }
  .wide td::before { content: attr(data-label); color: var(--quiet); font-weight: 400; text-align: start; }
  .wide.texts td { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .75rem; text-align: start; }
  .wide tfoot tr { border-top: 2px solid var(--line); border-bottom: 0; }
}
@media print {
  :root { --first: #1f5c78; --second: #a34a12; --mask: #555; --grid: #ccc; --alarm: #a3161b; }
  @page { margin: 16mm 15mm 18mm; }
  html { font-size: 9.5pt; }
  body { font-size: 1rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 2.2rem; }
  section { margin-top: 2.2rem; }
  header > p, section > p { max-width: none; }
  p { orphans: 3; widows: 3; }
  nav { display: none; }
  h2, h3, figcaption, section > p { break-after: avoid; }
  .note { break-before: avoid; break-after: auto; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  tr, svg.chart, .legend, .figures li, section > p, #time .pair > div:first-child { break-inside: avoid; }
  section > .scroll thead, section > .scroll tbody tr:last-child { break-after: avoid; }
  section > .scroll tbody tr:first-child, section > .scroll tfoot tr { break-before: avoid; }
  table { font-size: .9rem; }
  .scroll { overflow: visible; }
  .figures { grid-template-columns: repeat(3, 1fr); }
  .pair { grid-template-columns: 6fr 5fr; gap: 2rem; align-items: start; }
  .method { columns: 2; column-gap: 2rem; }
  .method div { break-inside: avoid; padding-bottom: .7rem; }
  .method h3 { margin-top: 0; }
  a { color: inherit; text-decoration: none; }
}
"""
)
