"""Random programs of tensor operations, run on the engine and on oracles that do not know it.

`python -m tests.fuzz --help` says how; `program` what a program is, `session` how one is run and compared, `row` and
the `ops_*` files what the operations are, `generate` how programs are made.
"""
