import threading

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
    while not worker._calls.full():
        pass
    error = refused(worker, lambda: made.append(2), 503)
    assert error.headers == {"Retry-After": "1"}
    for thread in late:
        thread.join()
    go_on.set()
    while worker._calls.full():
        pass
    assert worker.do(lambda: 7) == 7 and made == []


def refused(worker, call, status):
    with pytest.raises(Refused) as raised:
        worker.do(call)
    assert raised.value.status == status
    return raised.value
