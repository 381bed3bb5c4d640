from joingate.core.audit_findings import SHOWN, Finding, Property, Violation


def test_a_property_that_nothing_violates_holds() -> None:
    finding = Property("told").finding("everybody was told: 3", restrictions=3)
    assert finding == Finding("told", "everybody was told: 3", {"restrictions": 3}, 0, ())
    assert finding.holds


def test_violations_are_counted_and_the_first_are_kept() -> None:
    found = Property("told")
    for seq in range(SHOWN + 3):
        found.violate(seq, "not told")
    finding = found.finding("everybody was told")
    assert not finding.holds
    assert finding.violated == found.violated == SHOWN + 3
    assert finding.violations == tuple(Violation(seq, "not told") for seq in range(SHOWN))


def test_a_record_violates_a_property_once() -> None:
    found = Property("told")
    found.violate(7, "first")
    found.violate(7, "second")
    found.violate(8, "third")
    assert found.finding("").violations == (Violation(7, "first"), Violation(8, "third"))


def test_what_is_no_matter_of_a_record_is_counted_each_time() -> None:
    found = Property("files")
    found.violate(None, "one")
    found.violate(None, "two")
    assert [str(each) for each in found.finding("").violations] == ["one", "two"]


def test_a_violation_names_its_record() -> None:
    assert str(Violation(17, "not told")) == "record 17: not told"
