"""``python -m sevtracker``."""

from sevtracker.cli import main

if __name__ == "__main__":
    main()
