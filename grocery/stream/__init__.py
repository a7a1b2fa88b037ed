"""The stream process: tells who watches an order what becomes of it, as server-sent events.

A process of its own, since one listener occupies a thread of a WSGI server for as long as it listens. One thread of
asyncio serves them all: who changes an order says so through Valkey after the commit, and the stream reads the history
of all orders that were named in one query. Every reading goes from the last entry that a listener was sent, so that
whatever is lost on the way (Valkey, this process, the connection), no entry is.

For that the ids of an order's history must rise in the order of the commits. They do: they are taken while the order's
row is locked. Those of different orders do not, and need not.

Imports neither Flask nor SQLAlchemy, which alone would take half of the memory that it may have.
"""
