from joingate.codecs.ambiguity import AmbiguousRequestError


def test_is_answered_with_400_and_its_detail() -> None:
    error = AmbiguousRequestError("The request names no meeting.")
    assert (error.status, error.detail, str(error)) == (400, "The request names no meeting.", error.detail)
