"""Verifies a ledger, or a proof, by docs/verify.md alone: nothing of joingate is imported.

    python standalone_verifier.py FOLDER VKEY               files, tree, checkpoints, territories, windows
    python standalone_verifier.py --proof FILE CODE VKEY    that a receipt's record stands in a signed history

Exit status 0 when everything holds, 1 with the first thing that does not, 2 when called otherwise.
"""

import base64
import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LINES_IN_FILE = 16_384


class Violation(Exception):  # noqa: N818 - it is what it says
    """Something does not hold."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise Violation(what)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 in another spelling than its one")
    return data


def open_key(line: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Return the name, the id and the key of a verifier key."""
    name, key_id, encoded = line.split("+", 2)
    data = unbase64(encoded)
    found = sha256(name.encode(), b"\n", data)[:4]
    require(len(data) == 33 and data[0] == 1 and found.hex() == key_id, "the verifier key is none")
    return name, found, Ed25519PublicKey.from_public_bytes(data[1:])


def open_checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """Return size and root of a checkpoint signed by the key."""
    name, key_id, key = open_key(vkey)
    text, gap, signatures = note.rpartition("\n\n")
    text += "\n"
    require(gap and signatures.endswith("\n"), "a checkpoint is no signed note")
    signed = False
    for line in signatures[:-1].split("\n"):
        dash, signer, encoded = line.split(" ")
        require(dash == "\N{EM DASH}", "a signature line is none")
        signature = unbase64(encoded)
        if signer == name and signature[:4] == key_id:
            key.verify(signature[4:], text.encode())
            signed = True
    require(signed, "a checkpoint is not signed by the key")
    origin, size, root, end = text.split("\n")
    require(origin == name and str(int(size)) == size and not end, "a checkpoint is not of this ledger")
    return int(size), unbase64(root)


def notes(text: str) -> list[str]:
    found, note = [], ""
    for line in text.splitlines(keepends=True):
        if note and note.splitlines()[-1].startswith("\N{EM DASH} ") and not line.startswith("\N{EM DASH} "):
            found.append(note)
            note = ""
        note += line
    return [*found, note]


def root_of(peaks: list[bytes]) -> bytes:
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = sha256(b"\x01", peak, root)
    return root


def verify_ledger(folder: Path, vkey: str) -> None:
    require((folder / "verifier_key").read_text("utf-8") == f"{vkey}\n", "verifier_key is another key")
    written = notes((folder / "checkpoints").read_bytes().decode("utf-8"))
    require((folder / "checkpoint").read_bytes() == written[-1].encode(), "checkpoint is not the last of checkpoints")
    require(all(note.count("\n") == 5 for note in written), "a checkpoint does not have its one signature")
    checkpoints = [open_checkpoint(note, vkey) for note in written]
    require(checkpoints == sorted(checkpoints, key=lambda each: each[0]), "a checkpoint shrinks")
    rules: dict[str, dict[str, Any] | None] = {}
    peaks: list[bytes] = []
    seq = 0
    paths = sorted((folder / "records").glob("*.jsonl"))
    for path in paths:
        require(path.name == f"{seq:012}.jsonl", f"{path.name} does not begin with record {seq}")
        *lines, end = path.read_bytes().split(b"\n")
        require(not end, f"{path.name} ends in the middle of a line")
        require(len(lines) == LINES_IN_FILE or path == paths[-1], f"{path.name} is not complete")
        for line in lines:
            verify_record(json.loads(line), seq, vkey, [peak.hex() for peak in peaks], rules)
            node, size = sha256(b"\x00", line), seq
            while size & 1:
                node, size = sha256(b"\x01", peaks.pop(), node), size >> 1
            peaks.append(node)
            seq += 1
            while checkpoints and checkpoints[0][0] == seq:
                require(checkpoints.pop(0)[1] == root_of(peaks), f"the first {seq} records are not those signed")
    require(not checkpoints, f"there are only {seq} records, and a checkpoint is of more")


def verify_record(
    record: dict[str, Any], seq: int, vkey: str, peaks: list[str], rules: dict[str, dict[str, Any] | None]
) -> None:
    kind = record["kind"]
    require(record["seq"] == seq, f"record {seq} is not in its place")
    require((kind == "genesis") == (seq == 0), f"record {seq}: genesis is first, and nothing else is")
    require((kind == "segment") == (seq > 0 and seq % LINES_IN_FILE == 0), f"record {seq}: a segment begins a file")
    if kind == "genesis":
        require(record["origin"] == vkey.split("+", maxsplit=1)[0], "the history is of another ledger")
    elif kind == "segment":
        require(record["peaks"] == peaks, f"record {seq}: the peaks are not those of the records before it")
    elif kind in {"order", "host_policy"}:
        rules[record["rule"]] = record
    elif kind in {"lift", "expiry"}:
        rules[record["rule"]] = None
    elif kind == "restriction" and record["basis"] == "order":
        verify_restriction(record, rules.get(record["rule"]))


def verify_restriction(record: dict[str, Any], order: dict[str, Any] | None) -> None:
    seq = record["seq"]
    require(order and order["kind"] == "order", f"record {seq}: no such order is accepted")
    assert order is not None
    require(record["located_as"] in order["territory"], f"record {seq}: outside the order's territory")
    inside = all(
        code in order["authority_territory"] or code[:2] in order["authority_territory"] for code in order["territory"]
    )
    require(inside, f"record {seq}: the order leaves its authority's territory")
    begins = datetime.strptime(record["hour"], "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
    opens, closes = (datetime.fromisoformat(order[name]) for name in ("opens", "closes"))
    require(begins + timedelta(hours=1) > opens and begins < closes, f"record {seq}: outside the order's window")


def verify_proof(text: str, code: str, vkey: str) -> None:
    head, _, note = text.partition("\n\n")
    first, extra, index, *hashes = head.split("\n")
    line = unbase64(extra.removeprefix("extra "))
    at = int(index.removeprefix("index "))
    size, root = open_checkpoint(note, vkey)
    require(f"{first}\n{index}" == f"c2sp.org/tlog-proof@v1\nindex {at}" and at < size, "the proof is none")
    node, last, place = sha256(b"\x00", line), size - 1, at
    for sibling in map(unbase64, hashes):
        require(last and len(sibling) == 32, "the proof is of another tree")
        if place & 1 or place == last:
            node = sha256(b"\x01", sibling, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = sha256(b"\x01", node, sibling)
        place, last = place >> 1, last >> 1
    require(last == 0 and node == root, "the proof does not lead to the root")
    record = json.loads(line)
    require(record["kind"] == "restriction" and record["seq"] == at, "the proof is not of a restriction")
    require(record["receipt"] == sha256(b"joingate receipt\n", code.encode()).hex(), "the proof is of another receipt")


def main(arguments: list[str]) -> int:
    if len(arguments) != (4 if arguments[:1] == ["--proof"] else 2):
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    try:
        if arguments[0] == "--proof":
            verify_proof(Path(arguments[1]).read_text("utf-8"), arguments[2], arguments[3])
        else:
            verify_ledger(Path(arguments[0]), arguments[1])
    except InvalidSignature:
        print("FAILED: a signature is not by the key", file=sys.stderr)  # noqa: T201
        return 1
    except (Violation, ValueError, KeyError, TypeError, OSError) as error:
        print(f"FAILED: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print("everything holds")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
