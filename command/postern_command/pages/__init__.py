"""What `postern page` serves to one person's browser: the commands as web pages.

gate.py decides which requests are allowed, guard.py checks every request with it, server.py listens. Each page is a
function that returns plain data, and rendering.py turns that into HTML or JSON. Pages change mail and tables through
the commands' own functions, and show the equivalent command.
"""
