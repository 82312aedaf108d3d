"""Questions about flows, written once: functions of tables, without any I/O, for every engine.

They keep to what the engines have in common. There is no `asof_join`, `bucket`, `hash`, `quantile`
or ordered `first` here; every table of identities has intervals that do not overlap; text is
compared byte by byte; whole seconds are taken of whole minutes, since engines round differently.
"""
