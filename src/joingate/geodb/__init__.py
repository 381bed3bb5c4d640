"""Where addresses lie: MMDB files vetted, condensed, held out of harm's way, and asked together.

    network.py     a network as a person writes it, read strictly
    overrides.py   network -> location, for known mistakes in the data
    sealed.py      files as sealed memory, which nobody can change or truncate
    condense.py    an MMDB search tree, checked whole, with each record reduced to the one code that decides
    examine.py     the child process in which a candidate is examined (`python -m joingate.geodb.examine`)
    vet.py         the parent's side of that: a Vetting, or a refusal that names the file and the remedy
    database.py    Database: one vetted database in use, asked with the C reader
    atlas.py       Atlas: databases, overrides and age limit in use together; `locate`
    load.py        files -> Atlas, all or nothing; what `geodb info` shows; what a watcher compares
    build.py       the project's own source tables -> an MMDB file

A file goes `sealed -> vet (examine, condense) -> database -> atlas`. It is read once; nothing afterwards depends on it.
"""
