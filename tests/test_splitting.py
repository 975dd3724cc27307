import numpy as np

from seq2seq.splitting import cut, split_by_key


def test_keys_stay_together_and_shares_are_kept():
    keys = np.repeat(np.arange(100), 3)
    train, validation, test = split_by_key(keys, 0.1, 60, np.random.default_rng(0))
    assert sorted(np.concatenate([train, validation, test])) == list(range(300))
    assert (len(train), len(validation), len(test)) == (210, 30, 60)
    assert not set(keys[train]) & set(keys[test])


def test_where_a_text_is_cut():
    assert cut(100, 0.1, 0.2) == (slice(0, 70), slice(70, 80), slice(80, 100))
    assert cut(100, 7, 5) == (slice(0, 88), slice(88, 95), slice(95, 100))
    assert cut(100, 70, 0.5) == (slice(0, 0), slice(0, 50), slice(50, 100))
