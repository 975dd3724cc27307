import threading
import time

import pytest

from seq2seq.turns import Turns


def test_one_thread_at_a_time_and_the_same_again():
    turns, inside, most = Turns(), [], []

    def enter():
        with turns, turns:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.001)
            inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


@pytest.mark.parametrize("how", ["giving way", "another turn"])
def test_a_thread_that_comes_again_and_again_lets_others_in(how):
    turns, done = Turns(), threading.Event()
    began, rounds = threading.Event(), 0

    def wait():
        began.set()
        with turns:
            done.set()

    with turns:
        threading.Thread(target=wait).start()
        began.wait()
        time.sleep(0.05)  # it stands in the turnstile now
        if how == "giving way":
            turns.give_way()
            assert done.is_set()
    if how == "another turn":
        while not done.is_set():
            with turns:
                rounds += 1
        assert rounds <= 1


def test_an_error_or_an_interrupt_ends_the_turn():
    turns = Turns()
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), turns:
            raise error
    thread = threading.Thread(target=lambda: turns.__enter__())
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
