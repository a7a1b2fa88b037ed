"""The API server of one container: granian with the shop in it, and a small parent that ends it without a lost request.

The parent (`python -m grocery.serving`) loads no application. Told to end, it first has the workers say so in every
answer, for as long as proxies take to turn away, and only then ends granian, which lets requests under way finish.
"""
