"""Chance in an exam: the same on every regrade, different for everyone, and not to be inferred."""

import multiprocessing
import struct

import numpy as np
import pytest

from autograder.exam.seeds import SECRET_FILE, _Key, exam_seed, exercise_rng, make_secret, read_secret

SECRET = b"s" * 32


def test_a_seed_is_the_same_every_time_and_differs_in_every_part():
    seeds = {
        exam_seed(*parts)
        for parts in [
            (SECRET, "ann", "02_data", 1),
            (SECRET, "bob", "02_data", 1),
            (SECRET, "ann", "03_model", 1),
            (SECRET, "ann", "02_data", 2),
            (b"t" * 32, "ann", "02_data", 1),
        ]
    }
    assert len(seeds) == 5
    assert exam_seed(SECRET, "ann", "02_data", 1) in seeds
    assert {len(seed) for seed in seeds} == {32}


def test_names_that_read_alike_when_joined_have_seeds_of_their_own():
    assert exam_seed(SECRET, "ann0", "2_data", 1) != exam_seed(SECRET, "ann", "02_data", 1)
    assert exam_seed(SECRET, "ann", "02_data1", 1) != exam_seed(SECRET, "ann", "02_data", 11)
    first = exercise_rng(SECRET, "ab", "c").random()
    assert first != exercise_rng(SECRET, "a", "bc").random()


def test_a_name_that_is_not_text_has_a_seed():
    assert len(exam_seed(SECRET, "ann\udcff", "02_data", 1)) == 32


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="secret: 15 bytes are too few"):
        exam_seed(b"s" * 15, "ann", "02_data", 1)


def test_inputs_and_truth_come_from_streams_of_their_own():
    inputs, truth = (
        exercise_rng(SECRET, "agreement", purpose).random(1000) for purpose in ("inputs", "truth")
    )
    assert np.intersect1d(inputs, truth).size == 0
    assert abs(np.corrcoef(inputs, truth)[0, 1]) < 0.15
    assert np.array_equal(inputs, exercise_rng(SECRET, "agreement", "inputs").random(1000))


def test_spawned_generators_are_reproducible_and_never_given_out_twice():
    first, second = (exercise_rng(SECRET, "agreement", "inputs") for _ in range(2))
    drawn = [child.random() for child in (*first.spawn(2), *first.spawn(1), *first.spawn(1)[0].spawn(1))]
    assert len(set(drawn)) == 4
    assert drawn[:2] == [child.random() for child in second.spawn(2)]


def chacha20(key, block):
    """One block (16 words of 32 bits) of ChaCha with 20 rounds, from its description (Bernstein, 2008)."""
    start = [*struct.unpack("<4I", b"expand 32-byte k"), *key, block & 0xFFFFFFFF, block >> 32, 0, 0]
    words = list(start)

    def mix(a, b, c, d):
        for add, to, turn in ((b, d, 16), (d, b, 12), (b, d, 8), (d, b, 7)):
            target = a if to == d else c
            words[target] = (words[target] + words[add]) & 0xFFFFFFFF
            mixed = words[to] ^ words[target]
            words[to] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            mix(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            mix(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return [(word + first) & 0xFFFFFFFF for word, first in zip(words, start, strict=True)]


def test_numbers_are_those_of_chacha_with_20_rounds_and_all_256_bits_of_the_key():
    rng = exercise_rng(SECRET, "agreement", "inputs")
    key = [int(word) for word in rng.bit_generator.state["state"]["keysetup"]]
    assert len(key) == 8
    assert min(key) > 0
    words = [word for block in range(3) for word in chacha20(key, block)]
    expected = [low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True)]
    assert [int(number) for number in rng.bit_generator.random_raw(24)] == expected


def test_a_key_gives_the_same_words_in_any_portion():
    key = _Key(SECRET)
    assert list(key.generate_state(20)[:4]) == list(key.generate_state(4))
    wide = key.generate_state(4, np.uint64)
    assert wide.tobytes() == key.generate_state(8, np.uint32).tobytes()


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path):
    assert make_secret(tmp_path)
    secret = read_secret(tmp_path)
    assert len(secret) == 32
    assert (tmp_path / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    assert not make_secret(tmp_path)
    assert read_secret(tmp_path) == secret
    assert [file.name for file in tmp_path.iterdir()] == [SECRET_FILE]


def test_secrets_made_at_once_by_many_are_one_secret(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert sum(pool.map(make_secret, [tmp_path] * 20, chunksize=1)) == 1
    assert [file.name for file in tmp_path.iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (None, 0o600, "has no exam_secret; run `autograder release"),
        (b"ab" * 32, 0o640, r"can be read by others \(mode 640\); mend it with `chmod 600"),
        (b"ab" * 32, 0o604, "can be read by others"),
        (b"ab" * 15, 0o600, "holds no secret; at least 32 hexadecimal digits"),
        (b"xyz" * 32, 0o600, "holds no secret"),
        (b"\xff\xfe" * 32, 0o600, "holds no secret"),
        (b"", 0o600, "holds no secret"),
    ],
)
def test_a_secret_that_is_missing_open_or_damaged_is_one_sentence(tmp_path, content, mode, says):
    if content is not None:
        (tmp_path / SECRET_FILE).write_bytes(content)
        (tmp_path / SECRET_FILE).chmod(mode)
    with pytest.raises(ValueError, match=says) as error:
        read_secret(tmp_path)
    assert "\n" not in str(error.value)
