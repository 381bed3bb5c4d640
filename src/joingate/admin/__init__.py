"""The admin service, on an address of its own: health, metrics, status, reload. It carries no joins, names nobody."""
