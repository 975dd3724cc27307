"""An LSTM in C++, which trains faster on a CPU than MXNet's: the option `lstm=compiled`.

It is compiled when it is first needed, for the machine that it runs on. `library.py` compiles and loads it, `graph.py`
puts it into the graphs of a training in place of MXNet's operator, and `lstm.cc` is the operator. Models and answers do
not know of it: the parameters are the same, and so are the results, up to rounding.
"""
