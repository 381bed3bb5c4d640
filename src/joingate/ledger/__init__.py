"""The ledger on disk: appended to before anything is done, signed, and readable by strangers.

`history` appends, `journal` is what the gate speaks to, `verify` and `prove` read. `files` says what lies where.
"""
