"""`python -m tests.page_tools`: the types of the page's scripts, as their comments say them, checked by TypeScript."""

import subprocess
import sys
from pathlib import Path

from tests import page_tools

_PAGE = Path(__file__).parents[2] / "agentops_otel" / "view" / "live" / "page"
_OPTIONS = (
    *("--allowJs", "--checkJs", "--strict", "--noEmit", "--target", "es2023", "--module", "esnext"),
    *("--lib", "es2023,dom,dom.iterable"),
)


def main() -> int:
    """The exit code of TypeScript; 0 where it cannot be had, which is said."""
    try:
        tools = page_tools.install()
    except page_tools.CannotInstall as error:
        print(f"the types of the page's scripts are not checked: {error}", file=sys.stderr)
        return 0
    command = ["node", str(tools / "typescript" / "bin" / "tsc"), *_OPTIONS, *map(str, sorted(_PAGE.glob("*.js")))]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
