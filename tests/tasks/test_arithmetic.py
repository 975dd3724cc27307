import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import Arithmetic, SourceError, UsageError
from tests.tasks.by_hand import canonical, shuffled, value


def ranges(least, most, longest):
    return st.tuples(st.integers(least, most), st.integers(0, longest)).map(lambda pair: (pair[0], pair[0] + pair[1]))


# Of those that can be drawn whatever the operands, most come out whole.
MOSTLY_WHOLE = st.sampled_from(["+", "-", "*", "+-", "+*", "-*", "+-*", "%", "-%", "*%", "+-*/", "+-*/%"])
OPERATORS = st.one_of(MOSTLY_WHOLE, st.sampled_from(["/", "-/", "*/", "/%"]))


def soon_counted(task):
    """Whether expressions with divisions are so few that trying them takes a moment, or so many that it is not done."""
    return all(space.candidates < 100_000 or not space.tried for space in task._spaces)


small_tasks = st.builds(
    Arithmetic,
    operators=OPERATORS,
    terms=ranges(1, 3, 1),
    operands=ranges(0, 12, 3),
    mixed=st.booleans(),
    signed=st.booleans(),
    parentheses=st.booleans(),
).filter(lambda task: 0 < task.count <= 8_000)
any_tasks = st.builds(
    Arithmetic,
    operators=MOSTLY_WHOLE,
    terms=ranges(1, 4, 2),
    operands=ranges(0, 700, 700),
    mixed=st.booleans(),
    signed=st.booleans(),
    parentheses=st.booleans(),
).filter(lambda task: soon_counted(task) and task.count >= 200)


@given(small_tasks)
@settings(max_examples=60, deadline=None)
def test_list_is_all_expressions_each_once_with_its_value(task):
    sources, targets = task.list()
    assert len(set(sources.tolist())) == len(sources) == task.count
    assert [int(target) for target in targets] == [value(source) for source in sources.tolist()]
    for source in sources.tolist():
        assert task.normalise(source) == source.strip()
    used = [set(source.strip(" (")[1:]) & set("+-*/%") for source in sources.tolist()]
    assert all(operators <= set(task.operators) for operators in used)
    if not task.mixed:
        assert all(len(operators) <= 1 for operators in used)


@given(small_tasks)
@settings(max_examples=60, deadline=None)
def test_widths_are_those_of_the_longest_source_and_target(task):
    sources, targets = task.list()
    longest = [max(len(string.strip()) for string in strings.tolist()) for strings in (sources, targets)]
    widths = [task.source_length, task.target_length]
    if set(task.operators) & set("/%"):  # the longest may be among those that do not come out whole
        assert longest[0] <= widths[0] and longest[1] <= widths[1]
    else:
        assert longest == widths
    assert all(source == source.strip().rjust(task.source_length) for source in sources.tolist())
    assert all(target == target.strip().rjust(task.target_length) for target in targets.tolist())


@given(any_tasks, st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_draws_are_right_distinct_and_the_same_for_the_same_seed(task, seed):
    sources, targets = task.sample_distinct(200, np.random.default_rng(seed))
    assert len(set(sources.tolist())) == 200
    assert [int(target) for target in targets] == [value(source) for source in sources.tolist()]
    again = task.sample_distinct(200, np.random.default_rng(seed))
    assert (again.sources == sources).all() and (again.targets == targets).all()
    sources, targets = task.sample(50, np.random.default_rng(seed))
    assert [int(target) for target in targets] == [value(source) for source in sources.tolist()]


def test_draws_are_the_same_on_every_python():
    task = Arithmetic("+-*", terms=(2, 4), operands=(0, 99))
    pairs = [task.sample(500, np.random.default_rng(7)), task.sample_distinct(500, np.random.default_rng(7))]
    digest = hashlib.sha256(repr([part.tolist() for pair in pairs for part in pair]).encode()).hexdigest()
    assert digest[:16] == "100708dd6acad39c"


def test_the_notebooks_expressions():
    task = Arithmetic(operators="+*", terms=3, operands=(1, 10), mixed=False)
    assert (task.count, task.source_length, task.target_length) == (2000, 8, 4)
    assert sorted(task.characters) == sorted("0123456789+* ")
    assert Arithmetic().count == 4000


def test_products_come_before_sums_and_differences_are_taken_from_the_left():
    task = Arithmetic("+-*", terms=3, operands=(2, 7))
    answers = dict(zip(*(part.tolist() for part in task.list())))
    assert answers["3*7+2"].strip() == "23"
    assert answers["2+3*7"].strip() == "23"
    assert answers["2-3-7"].strip() == "-8"
    assert answers["2-3*7"].strip() == "-19"


def test_quotients_are_whole_and_remainders_have_the_sign_of_what_they_are_divided_by():
    answers = dict(
        zip(*([string.strip() for string in part.tolist()] for part in Arithmetic("-*/%", 3, (0, 7)).list()))
    )
    assert (answers["6/3/2"], answers["7-6/3"], answers["6*4/3"], answers["5-7%3"], answers["7%4%2"]) == (
        *"158",
        "4",
        "1",
    )
    assert not {"5/2*2", "6/4", "3/0", "3%0", "7-3/0"} & set(answers)
    signed = Arithmetic("/%", 2, (1, 7), signed=True).list()
    answers = dict(zip(*([string.strip() for string in part.tolist()] for part in signed)))
    assert (answers["-7%3"], answers["-6%3"], answers["-6/3"]) == ("2", "0", "-2")


def test_each_number_of_terms_is_drawn_as_often():
    task = Arithmetic("+", terms=(1, 3), operands=(0, 99))
    drawn = [source.count("+") for source in task.sample(3000, np.random.default_rng(0)).sources.tolist()]
    assert all(900 < drawn.count(n) < 1100 for n in range(3))
    drawn = [source.count("+") for source in task.sample_distinct(3000, np.random.default_rng(0)).sources.tolist()]
    assert [drawn.count(n) for n in range(3)] == [100, 1450, 1450]  # there are but 100 of one term


def test_huge_tasks_are_counted_exactly_and_drawn_without_listing():
    task = Arithmetic("+", terms=4, operands=(0, 10**17))
    assert task.count == (10**17 + 1) ** 4
    sources, targets = task.sample_distinct(1000, np.random.default_rng(0))
    assert [int(target) for target in targets] == [value(source) for source in sources.tolist()]
    with pytest.raises(UsageError, match="list: there are"):
        task.list()


def test_values_at_the_edge_of_64_bits_are_exact():
    sources, targets = Arithmetic("*", terms=9, operands=(127, 127)).list()
    assert targets.tolist() == [str(127**9)]
    with pytest.raises(UsageError, match="operands: 9 terms up to 128"):
        Arithmetic("*", terms=9, operands=(128, 128))
    assert Arithmetic("*", terms=900, operands=(0, 1)).target_length == 1
    sources, targets = Arithmetic("-", terms=2, operands=(0, 2**62 - 1)).sample(500, np.random.default_rng(0))
    assert [int(target) for target in targets] == [value(source) for source in sources.tolist()]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"operators": ""}, "operators: got ''"),
        ({"operators": "+^"}, "operators: got '\\+\\^'.*one or more of \\+ - \\* / %, each once"),
        ({"operators": "++"}, "operators: got"),
        ({"operators": 3}, "operators: got 3"),
        ({"terms": 0}, "terms: got 0"),
        ({"terms": True}, "terms: got True"),
        ({"terms": (3, 2)}, "terms: got \\(3, 2\\)"),
        ({"terms": 10**9}, "terms: got 1000000000.*to 1000"),
        ({"operands": (-1, 3)}, "operands: got \\(-1, 3\\)"),
        ({"operands": 5}, "operands: got 5"),
        ({"operands": (1.0, 2.0)}, "operands: got"),
        ({"operands": (1, 10**7)}, "operands: 3 terms up to 10000000 .* exactly"),
        ({"operands": (1, 2**63), "terms": 1, "operators": "+"}, "operands: 1 terms"),
        (
            {"operators": "-", "operands": (0, 2**62), "parentheses": True},
            "operands: 3 .*operators - with parentheses can",
        ),
        ({"operators": "+*", "terms": 10, "operands": (0, 10**50), "parentheses": True}, "operands: 10 terms up to"),
        ({"mixed": 1}, "mixed: got 1"),
        ({"parentheses": "yes"}, "parentheses: got 'yes', but it must be true or false"),
        ({"by_digit": True}, "by_digit: got True, but it must be .*false but with steps call"),
        ({"by_digit": True, "steps": "call", "operators": "+/"}, "by_digit: got True"),
        ({"by_digit": True, "steps": "call", "parentheses": True}, "by_digit: got True"),
        ({"by_digit": True, "steps": "call", "terms": 9}, "by_digit: got True.*up to 8 terms"),
        ({"by_digit": 2, "steps": "call"}, "by_digit: got 2"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Arithmetic(**options)


def test_asking_for_more_than_there_are():
    with pytest.raises(UsageError, match="n: got 5000, but it must be a whole number from 0 to 4000"):
        Arithmetic().sample_distinct(5000, np.random.default_rng(0))


@pytest.mark.parametrize("source", ["3+", "+3", "3++4", "03+4", "3+4*", "３+4", "3-4", "", "3 + + 4"])
def test_what_is_no_expression_of_the_task(source):
    with pytest.raises(SourceError, match="is not an expression"):
        Arithmetic("+*").normalise(source)


def test_spaces_do_not_matter():
    assert Arithmetic().normalise(" 3 * 7+2 ") == "3*7+2"


def keys(task, *sources):
    return task.key(np.array([source.rjust(task.source_length) for source in sources]), "commutative").tolist()


def test_the_commutative_key():
    task = Arithmetic("+-*", terms=(1, 5), operands=(0, 99))
    same = keys(task, "3*7+2", "2+7*3", "7*3+2", "2+3*7")
    assert len(set(same)) == 1
    assert len(set(keys(task, "5-2+1", "5+1-2", "1+5-2", "1-2+5"))) == 1
    task = Arithmetic("+-*/%", terms=(1, 5), operands=(0, 99), parentheses=True)
    assert len(set(keys(task, "(3+4)*2", "2*(4+3)", "2*(3+4)", "(4+3)*2"))) == 1
    different = ["(3+4)*2", "3+4*2", "(3*4)+2", "3*4+2", "(1+2)*(3+4)", "(1+3)*(2+4)", "(3-4)*2", "(4-3)*2"]
    assert len(set(keys(task, *different))) == len(different)
    assert len(set(keys(task, "6*4/3", "4*6/3", "6/3*4", "4/3*6"))) == len(set(keys(task, "8/2/4", "8/4/2"))) == 1
    assert len(set(keys(task, "6*4%5+1", "1+4*6%5"))) == 1
    different = ["6%4", "4%6", "6/4", "4/6", "6*4", "6%4%3", "6%3%4", "6*4%3", "8/4%2", "8/2%4", "6%4*3", "6*3%4"]
    different += ["6*4/3", "6/4*3", "6*4-3"]
    assert len(set(keys(task, *different))) == len(different)
    different = ["3*7+2", "3+7*2", "3*7-2", "2-3*7", "2*3+7", "3*7*2", "3+7+2", "37+2", "3-7", "7-3", "3", "3+0", "3*1"]
    assert len(set(keys(task, *different))) == len(different)


@given(small_tasks)
@settings(max_examples=40, deadline=None)
def test_the_commutative_key_groups_exactly_the_reorderings(task):
    sources = task.list().sources[:3000]
    assert len(set(task.key(sources, "commutative").tolist())) == len(set(map(canonical, sources.tolist())))
    by_key = {}
    for key, source in zip(task.key(sources, "commutative").tolist(), sources.tolist()):
        assert by_key.setdefault(key, canonical(source)) == canonical(source)


@given(any_tasks, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_another_order_has_the_same_commutative_key(task, seed):
    rng = np.random.default_rng(seed)
    sources = replace(task, signed=False).sample(50, rng).sources
    others = np.array([shuffled(source, rng).rjust(task.source_length) for source in sources.tolist()])
    assert (task.key(sources, "commutative") == task.key(others, "commutative")).all()
    distinct = {canonical(source) for source in sources.tolist()}
    assert len(set(task.key(sources, "commutative").tolist())) == len(distinct)


def test_operators_used():
    task = Arithmetic("+-*", terms=(1, 3), operands=(0, 9))
    sources = np.array([source.rjust(5) for source in ("7", "1+2", "1*2+3", "1-2-3", "3-2*1")])
    assert task.breakdowns["operator"](sources).tolist() == ["none", "+", "+*", "-", "-*"]


def test_parentheses_at_the_edge_of_64_bits_are_exact():
    task = Arithmetic("-", 3, (0, 2**62 - 1), parentheses=True)
    rng = np.random.default_rng(0)
    assert all(value(source) == int(target) for source, target in zip(*map(np.ndarray.tolist, task.sample(300, rng))))
    edge = Arithmetic("-*", 3, (2**21 - 1, 2**21 - 1), parentheses=True).list()
    assert [int(target) for target in edge.targets] == [value(source) for source in edge.sources.tolist()]


def test_options_rebuild_the_task():
    task = Arithmetic("*+", terms=(2, 2), operands=[0, 5])
    assert Arithmetic(**task.options()) == task == Arithmetic("+*", terms=2, operands=(0, 5))


@pytest.mark.parametrize(
    "options",
    [
        {"operators": "-*", "terms": 3, "operands": (0, 4)},  # 0-4*4 is longer than 4*4*4
        {"operators": "-*", "terms": 4, "operands": (0, 3)},
        {"operators": "+-", "terms": 3, "operands": (0, 5)},
        {"operators": "-", "terms": 2, "operands": (5, 99)},
        {"operators": "+-*", "terms": (1, 3), "operands": (0, 4)},
        {"operators": "/", "terms": 2, "operands": (1, 10)},  # 10/1
        {"operators": "/", "terms": 3, "operands": (3, 99)},  # 90/3/3, but not 100/3/3
        {"operators": "%", "terms": 2, "operands": (2, 11)},  # 10%11
    ],
)
def test_widths_where_a_sign_decides(options):
    task = Arithmetic(**options)
    values = [value(source) for source in task.list().sources.tolist()]
    assert task.target_length == max(len(str(worth)) for worth in values)


@pytest.mark.parametrize("low", [0, 2])
def test_signed_is_the_first_number_alone(low):
    sources = Arithmetic("+", terms=(1, 2), operands=(low, 3), signed=True).list().sources.tolist()
    numbers = range(low, 4)
    first = [*numbers, *(-number for number in numbers if number)]
    assert sorted(map(str.strip, sources)) == sorted([*map(str, first), *(f"{a}+{b}" for a in first for b in numbers)])
