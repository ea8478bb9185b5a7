"""``python -m bot`` is ``zoombot``."""

from bot.cli import main

if __name__ == "__main__":
    main()
