"""Meeting servers' own interfaces, over aiohttp: to remove one participant, and to see whether they are gone."""
