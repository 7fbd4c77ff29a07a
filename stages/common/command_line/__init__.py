"""Options, types of parameters, errors of one line, Ctrl-C, and a lock on outputs."""
