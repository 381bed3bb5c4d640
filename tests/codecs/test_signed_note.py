import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.signed_note import (
    Checkpoint,
    NoteError,
    VerifierKey,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_verifier_key,
    sign_note,
    split_notes,
    verifier_key,
)

# The example of golang.org/x/mod/sumdb/note, the first implementation of the format.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = (
    f"{TEXT}\n\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ANOTHER = (
    "\N{EM DASH} EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "joingate-0a1b2c3d4e5f"
OWN = verifier_key(ORIGIN, KEY)
CHECKPOINT = Checkpoint(ORIGIN, 4711, bytes(range(32)))
NOTE = sign_note(CHECKPOINT.text, ORIGIN, KEY)


def test_a_note_by_another_implementation_is_opened() -> None:
    key = parse_verifier_key(NEUMANN)
    assert open_note(SIGNED, key) == TEXT
    assert open_note(SIGNED + BY_ANOTHER, key) == TEXT
    assert str(key) == NEUMANN


def test_a_checkpoint_is_what_was_signed() -> None:
    assert CHECKPOINT.text == f"{ORIGIN}\n4711\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert NOTE.startswith(f"{CHECKPOINT.text}\n\N{EM DASH} {ORIGIN} ")
    assert open_checkpoint(NOTE, OWN) == CHECKPOINT


def test_a_verifier_key_is_read_back() -> None:
    assert parse_verifier_key(f" {OWN}\n") == OWN
    assert str(OWN) == f"{ORIGIN}+{OWN.id.hex()}+{base64.b64encode(bytes([1]) + OWN.public).decode()}"


def key_text(name: str = "n", type_: bytes = b"\x01", public: bytes = bytes(32), key_id: str | None = None) -> str:
    made = key_id or VerifierKey(name, public).id.hex()
    return f"{name}+{made}+{base64.b64encode(type_ + public).decode()}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a verifier key, which looks like NAME+ID+KEY"),
        ("name+0a0b0c0d", "is not a verifier key, which looks like NAME+ID+KEY"),
        ("a name+0a0b0c0d+AQ==", "is not a verifier key, which looks like NAME+ID+KEY"),
        (key_text(type_=b"\x02"), "is not an Ed25519 verifier key"),
        (key_text(public=bytes(31)), "is not an Ed25519 verifier key"),
        ("n+0a0b0c0d+not base64", "is not an Ed25519 verifier key"),
        ("n+0a0b0c0d+\N{LATIN SMALL LETTER E WITH ACUTE}", "is not an Ed25519 verifier key"),
        (key_text(key_id="0a0b0c0d"), "has an id that does not belong to its name and key"),
        (key_text().upper(), "has an id that does not belong to its name and key"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoteError, match=f"^{re.escape(why)}$"):
        parse_verifier_key(text)


SIGNATURE = NOTE.removeprefix(f"{CHECKPOINT.text}\n")
OTHER_NAME = verifier_key("joingate-ffffffffffff", KEY)
OTHER_KEY = verifier_key(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
UNPAIRED = base64.b64encode(OWN.id + bytes(64)).decode()


@pytest.mark.parametrize(
    ("note", "key", "why"),
    [
        ("", OWN, "is not a signed note"),
        (CHECKPOINT.text, OWN, "is not a signed note"),
        (NOTE[:-1], OWN, "is not a signed note"),
        (NOTE + "\n", OWN, "is not a signed note"),
        ("x" * 65_537, OWN, "is too long for a signed note"),
        (NOTE.replace("\N{EM DASH}", "-"), OWN, "has a signature line that is none"),
        (NOTE.removesuffix("=\n") + "\n", OWN, "has a signature line that is none"),
        (f"t\n\n\N{EM DASH} {ORIGIN}\n", OWN, "has a signature line that is none"),
        (f"t\n\n\N{EM DASH} {ORIGIN} AAAA\n", OWN, "has a signature line that is none"),
        (f"t\n\n\N{EM DASH} {ORIGIN} {UNPAIRED}\n", OWN, f"has a signature that {ORIGIN} did not make over this text"),
        (NOTE.replace("4711", "4712"), OWN, f"has a signature that {ORIGIN} did not make over this text"),
        (NOTE, OTHER_NAME, "is not signed by joingate-ffffffffffff"),
        (NOTE, OTHER_KEY, f"is not signed by {ORIGIN}"),
    ],
)
def test_what_the_key_has_not_signed_is_not_opened(note: str, key: VerifierKey, why: str) -> None:
    with pytest.raises(NoteError, match=f"^{re.escape(why)}$"):
        open_note(note, key)


ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a checkpoint"),
        (f"o\n1\n{ROOT}", "is not a checkpoint"),
        (f"o\n1\n{ROOT}\nan extension\n", "is not a checkpoint"),
        (f"\n1\n{ROOT}\n", "is not a checkpoint"),
        (f"o\n01\n{ROOT}\n", "is not a checkpoint"),
        (f"o\n-1\n{ROOT}\n", "is not a checkpoint"),
        (f"o\n\N{ARABIC-INDIC DIGIT ONE}\n{ROOT}\n", "is not a checkpoint"),
        (f"o\n9999999999999999\n{ROOT}\n", None),
        (f"o\n10000000000000000\n{ROOT}\n", "is not a checkpoint"),
        ("o\n1\nAAAA\n", "has a root that is no SHA-256"),
        (f"o\n1\n{ROOT[:-2]}9=\n", "has a root that is no SHA-256"),
        (f"o\n1\n {ROOT}\n", "has a root that is no SHA-256"),
    ],
)
def test_a_checkpoint_has_one_spelling(text: str, why: str | None) -> None:
    if why is None:
        assert parse_checkpoint(text).text == text
        return
    with pytest.raises(NoteError, match=f"^{re.escape(why)}$"):
        parse_checkpoint(text)


def test_the_origin_is_the_name_of_the_key() -> None:
    note = sign_note(Checkpoint("joingate-ffffffffffff", 1, bytes(32)).text, ORIGIN, KEY)
    with pytest.raises(NoteError, match=f"^is of joingate-ffffffffffff, not of {ORIGIN}$"):
        open_checkpoint(note, OWN)


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_no_character_of_a_checkpoint_can_be_another(at: int, character: str) -> None:
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    if changed != NOTE:
        with pytest.raises(NoteError):
            open_checkpoint(changed, OWN)


TWICE = NOTE + SIGNATURE


@pytest.mark.parametrize("notes", [[], [NOTE], [NOTE, NOTE], [TWICE, NOTE, TWICE]])
def test_notes_that_stand_one_after_the_other_are_told_apart(notes: list[str]) -> None:
    assert split_notes("".join(notes)) == notes


@pytest.mark.parametrize("end", [NOTE[:-1], NOTE + "\n", f"{NOTE}{ORIGIN}\n"])
def test_notes_end_with_a_signature(end: str) -> None:
    with pytest.raises(NoteError, match=r"^ends in the middle of a checkpoint$"):
        split_notes(NOTE + end)
