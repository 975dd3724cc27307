"""`python -m seq2seq`: the command `seq2seq`."""

from seq2seq.cli.main import main

if __name__ == "__main__":
    main()
