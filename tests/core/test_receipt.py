from joingate.core.receipt import Promise, Receipt


def test_a_promise_as_members_of_json() -> None:
    promise = Promise(3, (b"\x00" * 32, b"\xff" * 32), "note\n")
    assert promise.members() == {
        "index": 3,
        "path": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "//////////////////////////////////////////8="],
        "note": "note\n",
    }
    assert Receipt("code", "commitment", lambda: promise).promise is promise
