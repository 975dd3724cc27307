import threading
import time

import pytest

from seq2seq.web.replies import Refused
from seq2seq.web.worker import Worker


def test_one_thread_makes_all_calls_in_their_order():
    worker = Worker()
    assert len({worker.do(threading.get_ident) for _ in range(5)} - {threading.get_ident()}) == 1
    with pytest.raises(KeyError, match="what it raises"):
        worker.do(lambda: {}["what it raises"])
    assert worker.do(lambda: 7) == 7


def test_a_full_queue_says_when_to_ask_again_and_late_calls_are_dropped():
    worker = Worker(most=1, seconds=0.1)
    started, go_on = threading.Event(), threading.Event()
    made = []

    def slow():
        started.set()
        go_on.wait(10)

    late = [threading.Thread(target=refused, args=(worker, slow, 504))]
    late[0].start()
    assert started.wait(10)
    late.append(threading.Thread(target=refused, args=(worker, lambda: made.append(1), 504)))
    late[1].start()
    while not worker._jobs.full():
        pass
    error = refused(worker, lambda: made.append(2), 503)
    assert error.headers == {"Retry-After": "1"}
    for thread in late:
        thread.join()
    go_on.set()
    while worker._jobs.full():
        pass
    assert worker.do(lambda: 7) == 7 and made == []


def test_the_time_in_which_a_run_is_opened_is_not_counted():
    worker = Worker(seconds=0.3)
    opens = threading.Event()
    found = []

    def slow():
        with worker.opening():
            opens.set()
            time.sleep(1)
        return "opened"

    first = threading.Thread(target=lambda: found.append(worker.do(slow)))
    first.start()
    assert opens.wait(10)
    assert worker.do(lambda: "answered") == "answered"  # it had to wait for another run to be opened
    first.join()
    assert found == ["opened"]


def test_a_run_that_is_opened_for_long_is_to_be_asked_again():
    worker = Worker(seconds=0.1, opening_seconds=0.3)
    go_on = threading.Event()

    def endless():
        with worker.opening():
            go_on.wait(10)

    error = refused(worker, endless, 503)
    assert "is being opened" in str(error) and error.headers == {"Retry-After": "1"}
    go_on.set()
    assert worker.do(lambda: 7) == 7


@pytest.mark.parametrize("gone", [True, False])
def test_a_call_for_which_nobody_waits_any_more_ends_at_its_next_step(gone):
    worker = Worker(seconds=0.3)
    left = threading.Event()
    ended = threading.Event()

    def endless():
        try:
            while True:
                worker.check()
                left.set() if gone else time.sleep(0.01)
        finally:
            ended.set()

    with pytest.raises(Refused) as raised:
        worker.do(endless, left.is_set)
    assert raised.value.status == 504 and ended.wait(10) and worker.do(lambda: 7) == 7


def test_a_call_is_not_begun_for_a_client_that_has_gone():
    worker, made = Worker(), []
    with pytest.raises(Refused, match="nobody waits"):
        worker.do(lambda: made.append(1), lambda: True)
    assert made == []


def refused(worker, call, status):
    with pytest.raises(Refused) as raised:
        worker.do(call)
    assert raised.value.status == status
    return raised.value
