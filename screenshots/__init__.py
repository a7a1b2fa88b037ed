"""`make screenshots`: the pictures of the documentation, taken of a shop that runs, so that they never lie."""
