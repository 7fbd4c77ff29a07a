"""How `tune` searches: a `space` makes a `plan`, `search` tries it, others report.

`search` runs on joblib's `engines`, of which Dask's needs help, in `cluster`. What was found is put
in order by `ranking`, and drawn by `trade_off`.
"""
