from joingate.codecs.report_method import METHOD


def test_headings_and_paragraphs() -> None:
    assert METHOD[0][0] == "Where the numbers come from"
    assert METHOD[0][1].startswith("Every number here is worked out again from the records of the ledger, and from ")
    assert METHOD[-1][0] == "What cannot be seen from a ledger"
    assert METHOD[-1][1].endswith("That there was no way around the gate. That a law is just.")
    for heading, paragraph in METHOD:
        assert heading == heading.strip()
        assert not heading.endswith(".")
        assert paragraph.endswith(".")
        assert "  " not in paragraph


def test_what_a_reader_has_to_know_is_said() -> None:
    said = dict(METHOD)
    assert "no column for refused demands" in said["What is not here"]
    assert "restrictions are counted, not people" in said["Participants"]
    assert "both the first and the last are included" in said["Days and hours"]
    assert "in the period in which the ledger first holds it as accepted" in said["Orders"]
