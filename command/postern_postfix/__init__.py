"""Postfix's files read as the two tables: `postern import postfix`.

    source        a file's logical lines, each with its place
    tokens        RFC 822 tokens and address lists, as tok822(3) of Postfix has them
    targets       what one address of a right-hand side means
    maps          `hash:/etc/aliases`: the type and the file of a look-up table
    aliases5, virtual5, patterns, access5
                  one table each, by the manual page of that name; patterns are regexp_table(5) and pcre_table(5)
    expressions   a pattern for whole addresses taken apart
    macros, main_cf, master_cf, parameters, restrictions
                  main.cf, what of master.cf changes it: `$name`s, values, what becomes of parameters and restrictions
    address_parameters, domains
                  the parameters that decide how addresses are read, and the lists of domains among them
    box           what of them the rest needs
    mailboxes     which addresses are virtual mailboxes
    filters       programs beside Postfix that look for junk
    lookups       what virtual(5) answers for an address
    owners        which line has which row
    leads         where a target leads from where it stands
    rows, tags    the rows of the alias table
    report, report_text
                  what became of each line, and how people are told
    importing     all of it together

Nothing is dropped silently: each logical line of each file is in the report once, with what became of it.
"""
