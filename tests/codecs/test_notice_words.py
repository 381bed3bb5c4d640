from dataclasses import asdict
from string import Formatter

import pytest

from joingate.codecs.negotiation import Language
from joingate.codecs.notice_words import WORDS


def _blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", Language)
def test_every_language_says_everything_with_the_same_blanks(language: Language) -> None:
    english = asdict(WORDS[Language.ENGLISH])
    for key, sentence in asdict(WORDS[language]).items():
        assert sentence.strip() == sentence != ""
        assert _blanks(sentence) == _blanks(english[key]) <= {"place", "until"}


def test_no_sentence_was_left_untranslated_or_in_the_other_script() -> None:
    texts = {language: "".join(asdict(words).values()) for language, words in WORDS.items()}
    assert texts[Language.ENGLISH].replace("’", "").isascii()  # noqa: RUF001 - an apostrophe
    assert not set("會議連線網關據參與資記錄權這個說") & set(texts[Language.SIMPLIFIED])
    assert not set("会议连线网关据参与资记录权这个说") & set(texts[Language.TRADITIONAL])
    for key, sentence in asdict(WORDS[Language.SIMPLIFIED]).items():
        assert not sentence.isascii(), key
