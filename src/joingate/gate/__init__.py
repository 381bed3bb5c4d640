"""The data plane: connections, requests, tunnels, and the gate that judges them.

Follow a join in this order: `listener` accepts, `peer` says who is there, `downstream` reads requests, `exchange` takes
one through its phases, `gate` judges it, `upstream` carries it on, and for a WebSocket `tunnel` relays until somebody
leaves or is ejected.
"""
