"""What `postern page` serves to one person's browser: the commands once more, for eyes.

gate.py decides who may ask, guard.py asks it for every request, server.py listens and ends. Each page is a function in
a module of its own that gives plain data; rendering.py makes HTML or JSON of it. What a page does to mail or tables is
done by the functions of the commands, and the command is shown beside it.
"""
