"""A territorial gate in front of meeting joins: one participant is turned away, never a meeting.

The map. Imports point one way: cli, demo -> app -> the edges -> codecs -> core; tests/test_layering.py holds that.

    core/       pure: who may join, by territory and rule. Standard library, no clock, no input or output.
                territory and location say where; rules, rule_set and decision say what follows, and reach whom no rule
                can mean; roster says who is inside.
    codecs/     bytes to model and back: HTTP/1.1 heads, WebSocket frames, which request is a join, rule files and
                configuration with their error messages, the notices a participant reads; a `dialect` for each kind of
                meeting server.
    gate/       the data plane: uvloop protocols. listener -> downstream -> exchange -> upstream, tunnel; `gate` judges.
                Where joins are messages: reading (a WebSocket), polling (many requests), seats, resumption.
                Where it is compiled (deploy/native), an engine in C is under it: `sockets`, `fast_path`. So it is with
                core.reach and the look-up in geodb.database.
    servers/    meeting servers' own interfaces: to remove one participant, and to see that they are gone; `removals`.
    geodb/      MMDB files: read into sealed memory, vetted in a child process, swapped whole; overrides; the builder.
    ledger/     the record on disk: `history` appends and signs, the gate records to `journal`; verify, prove, report.
    admin/      aiohttp: health, metrics, status, reload.
    workers/    several processes that are one gate: how they are begun, spoken to, and kept.
    app, serving, loading, replacing, reload, ejecting, status, settings
                what puts these together, and keeps it so through a reload.
    supervising, working, parcel     the same over several processes: what loads, what judges, what is handed over.
    cli/        one file for each group of commands.
    demo/       a real meeting server, eight participants, and an order.

The life of a join, in the words used everywhere:

    resolve_client -> locate -> decide -> record -> admit | reject -> relay -> leave | eject

A request is read (`gate.downstream`), found to be a join (`codecs.join_request`), its client resolved behind trusted
proxies (`core.client_address`), located (`geodb.atlas`), entered on the roster and judged (`gate.gate`,
`core.decision`). A restriction is written to the ledger first, or not carried out (`ledger.journal`). Rejected, the
join gets 451 or 403 with the reason and a receipt (`codecs.notice`). Admitted, it is relayed (`gate.exchange`), and a
WebSocket lives on as a tunnel (`gate.tunnel`). A reload (`reload`) swaps rules or databases (`replacing`) and judges
again whoever the change touches; a tunnel of somebody newly denied gets one Close frame between two of the server's
frames, and everybody else nothing at all. Where the server keeps whose connection is gone, it is asked to remove them,
and the ejection is confirmed by its word.
"""

__version__ = "0.1.0"
