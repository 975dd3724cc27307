"""A campaign against the scripts: what goes wrong must end in one line.

    python -m tests.campaign                            10,000 mutations, 5,000 command lines, 500 files, 200 kills,
                                                        2,000 packed runs
    python -m tests.campaign mutation --count 500       only some of them
    python -m tests.campaign --only mutation:1234       one of them again, with what it prints
    python -m tests.campaign --seconds 60 --jobs 2      as many as there is time for, in two processes
    python -m tests.campaign.ranks FOLDER               100 jobs of several processes, of which one is killed
    python -m tests.campaign.opening                    the packed runs alone, opened and asked in one process

Each check is a number, from which everything in it is drawn. Its commands run in a folder of its own, each in a child
process of one that has imported the library and never used it, so that a check takes a fraction of a second. A
command passes if it works, or ends with one line on stderr and status 1, 2 or 130, in less than 20 seconds and 2 GB,
and changes nothing in the folders beside the run. The folders of checks that fail are kept.
"""
