from seq2seq.lazy import cached_property


class Counted:
    made = 0

    @cached_property
    def value(self):
        self.made += 1
        return [self.made]


def test_a_value_is_made_once_and_kept():
    counted = Counted()
    assert counted.value is counted.value
    assert (counted.value, counted.made, vars(counted)["value"]) == ([1], 1, [1])
    assert Counted.value.func(Counted()) == [1]


def test_of_two_values_made_at_once_the_first_is_kept():
    class Again:
        @cached_property
        def value(self):
            vars(self)["value"] = "another thread's"
            return "this one's"

    assert Again().value == "another thread's"
