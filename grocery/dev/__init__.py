"""`make run`: the whole shop on one machine, as `python -m grocery.dev` in the checkout.

The supervisor starts PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL say where they are), migrates, loads the
demo shop into an empty embedded database, and keeps the processes of the shop running until it is told to end.
"""
