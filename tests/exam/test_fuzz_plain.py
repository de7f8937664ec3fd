"""Three thousand damaged and forged values; `fuzz_plain(100_000, seed)` is the long form."""

from fuzz import fuzz_plain, valid_encodings

from autograder.plain import decode
from autograder.plain.core import READERS


def test_no_input_makes_the_decoder_do_anything_but_refuse_or_return_plain_data():
    accepted = fuzz_plain(3_000, seed=7)
    # Some of it stays sound, or nothing but the front door was tried.
    assert 100 < accepted < 1_500


def test_the_fuzzing_starts_from_every_tag_of_the_format(monkeypatch):
    used = set()

    def noting(tag, reader):
        return lambda source: used.add(tag) or reader(source)

    for tag, (fields, reader) in list(READERS.items()):
        monkeypatch.setitem(READERS, tag, (fields, noting(tag, reader)))
    for data in valid_encodings():
        decode(data)
    assert used == set(READERS) - {"estimator"}  # trusted senders only
