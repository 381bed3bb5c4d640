from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.meeting_commitment import meeting_commitment, salt_of

KEY = bytes(range(32))


def test_a_known_answer() -> None:
    salt = salt_of(KEY, "cac-1", "8412345678")
    assert salt.hex() == "aec40d07a7efba67acb7016dd44e11816c36295f075f185398efbcbdf9fe9e2c"
    assert meeting_commitment(salt, "8412345678") == "e50f011e5d2d6e9657d2249187c1f2b0e2ef5fd6d9db60ad58d0b5c776931ea7"


@given(st.tuples(st.from_regex(r"[a-z0-9._-]{1,8}", fullmatch=True), st.text(st.characters(), max_size=8)), st.data())
def test_one_meeting_under_one_rule_is_one_and_everything_else_another(
    named: tuple[str, str], data: st.DataObject
) -> None:
    rule, meeting = named
    mine = meeting_commitment(salt_of(KEY, rule, meeting), meeting)
    assert mine == meeting_commitment(salt_of(KEY, rule, meeting), meeting)
    for key, other_rule, other in (
        (KEY, rule + "x", meeting),
        (KEY, rule, meeting + "x"),
        (bytes(32), rule, meeting),
        (KEY, rule, data.draw(st.text(st.characters(), max_size=8).filter(lambda text: text != meeting))),
    ):
        assert meeting_commitment(salt_of(key, other_rule, other), other) != mine
