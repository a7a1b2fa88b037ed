"""Catalogue reads from a replica: who may be answered from it, when it is fresh, and what happens when it fails.

Without DATABASE_REPLICA_URL nothing of this costs anything. With it, a view that has `reads_catalogue` reads through
`catalogue_reader()` what the replica had a moment ago, unless

- the answer may be kept (`grocery.answers`): made from a replica that lags it would be the old one, kept after the news
  of the change has come and gone;
- it is for staff, on routes that ask who somebody is, or for somebody who has written anything within the last seconds
  (`marks`), and wants to find it;
- the replica is not known to be fresh (`monitor`), or fails: then the primary is asked, in the same request.
"""

from flask import Flask

from grocery.db import committing
from grocery.engines import Engines
from grocery.metrics import metrics_asked
from grocery.replica.figures import read_figures
from grocery.replica.marks import Marks
from grocery.replica.monitor import Monitor
from grocery.replica.reading import catalogue_reader, note_writer, reads_catalogue
from grocery.replica.source import Source

__all__ = ["catalogue_reader", "init_app", "reads_catalogue"]


def init_app(app: Flask, engines: Engines) -> None:
    if engines.has_replica:
        source = Source(engines.connect_for_catalogue)
        app.extensions["replica"] = source
        app.extensions["replica_marks"] = Marks(lambda: engines.redis_url)
        app.extensions["replica_monitor"] = Monitor(
            engines.connect_to_watch, engines.connect_to_watch_replica, source.cut
        )
        committing.connect(note_writer)
        metrics_asked.connect(read_figures)
