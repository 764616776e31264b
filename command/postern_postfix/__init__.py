"""`postern import postfix`: turn Postfix's files into Postern's tables.

    source        a file's logical lines, each with its place
    tokens        RFC 822 tokens and address lists, as in Postfix's tok822(3)
    targets       the meaning of one address on a right-hand side
    maps          `hash:/etc/aliases`: the type and the file of a look-up table
    aliases5, virtual5, patterns, access5
                  one table each, by the manual page of that name; patterns covers regexp_table(5) and pcre_table(5)
    expressions   splits a pattern for whole addresses
    macros, main_cf, master_cf, parameters, restrictions
                  main.cf with the overrides of master.cf: `$name`s, values, the verdict on parameters and restrictions
    address_parameters, domains
                  the parameters that decide how addresses are read, and the domain lists among them
    box           the facts about the box that the other modules need
    mailboxes     which addresses are virtual mailboxes
    filters       spam filters that run beside Postfix
    lookups       what virtual(5) answers for an address
    owners        the line that each row comes from
    leads         where a target leads, given its place
    rows, tags    the rows of the alias table
    report, report_text
                  the verdict on each line, and its text for people
    importing     puts it all together

Nothing is dropped silently: each logical line of each file is in the report once, with its verdict.
"""
