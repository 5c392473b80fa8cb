"""Make `.venv` with what the repository needs; run by make, needs only Python's standard library.

    python3 scripts/set_up.py demo      what `cloche` and its demo need
    python3 scripts/set_up.py dev       that, the optional parts, and the tools and tests

What is installed is what `uv.lock` says, checked by its hashes. Packages come from where this
machine's pip is configured to get them (`pip config`, `PIP_*`), since uv doesn't read that
configuration; `UV_*` variables win. Nothing outside the folder is touched, and packages that were
added to `.venv` by hand stay.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
VENV_UV = VENV / "bin" / "uv"
UV_REQUIREMENT = "uv>=0.6,<1"

PROFILES = {
    "demo": ["--extra", "demo", "--no-default-groups"],
    "dev": ["--all-extras", "--group", "dev"],
}

# pip's option → uv's variable; for several values, both separate them by spaces.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class SetUpError(Exception):
    """Something is missing; the message says what, and how to mend it."""


def run(command: list[str], **environment: str) -> None:
    """Run a command in the repository; its own messages say what failed."""
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if result.returncode != 0:
        raise SetUpError(f"failed: {' '.join(command)}")


def succeeds(command: list[str]) -> bool:
    """Whether a command exits with 0, its output unseen."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def make_environment() -> None:
    """Make `.venv` unless there is one whose Python is new enough."""
    version_test = "import sys; sys.exit(sys.version_info < (3, 11))"
    if VENV_PYTHON.exists() and succeeds([str(VENV_PYTHON), "-c", version_test]):
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    venv = [sys.executable, "-m", "venv"]
    if succeeds([*venv, str(VENV)]):
        return
    # Debian keeps ensurepip in a package of its own; pip or uv from outside can fill the gap.
    shutil.rmtree(VENV, ignore_errors=True)
    has_installer = shutil.which("uv") or succeeds([sys.executable, "-m", "pip", "--version"])
    if not has_installer or not succeeds([*venv, "--without-pip", str(VENV)]):
        raise SetUpError(
            f"{sys.executable} can't make a virtual environment: venv or ensurepip is missing.\n"
            "On Debian and Ubuntu: apt-get install python3-venv"
        )


def installed_uv() -> str:
    """Path of uv, installed into `.venv` unless it is there."""
    if VENV_UV.exists():
        return str(VENV_UV)
    install = ["install", "--quiet", "--disable-pip-version-check", UV_REQUIREMENT]
    if succeeds([str(VENV_PYTHON), "-m", "pip", "--version"]):
        run([str(VENV_PYTHON), "-m", "pip", *install])
    elif outside := shutil.which("uv"):
        return outside
    else:
        run([sys.executable, "-m", "pip", "--python", str(VENV_PYTHON), *install])
    return str(VENV_UV)


def pip_configuration() -> dict[str, str]:
    """Pip's options by name, from its files and variables, the stronger source winning."""
    for python in (str(VENV_PYTHON), sys.executable):
        result = subprocess.run(
            [python, "-m", "pip", "--disable-pip-version-check", "config", "list"],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode == 0:
            return parse_pip_configuration(result.stdout)
    return parse_pip_configuration(
        "\n".join(
            f":env:.{name.removeprefix('PIP_').lower().replace('_', '-')}={value!r}"
            for name, value in os.environ.items()
            if name.startswith("PIP_")
        )
    )


def parse_pip_configuration(listing: str) -> dict[str, str]:
    """Options from `pip config list`: `:env:` is above `install.`, which is above `global.`."""
    strength = {"global": 0, "install": 1, ":env:": 2}
    options: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        name, equals, quoted = line.partition("=")
        section, _, option = name.rpartition(".")
        if not equals or section not in strength:
            continue
        value = " ".join(str(ast.literal_eval(quoted)).split())
        if option not in options or options[option][0] <= strength[section]:
            options[option] = (strength[section], value)
    return {option: value for option, (_, value) in options.items()}


def uv_environment(pip: dict[str, str]) -> dict[str, str]:
    """Uv's variables for what pip is configured with; those already set are left alone."""
    environment = {
        variable: pip[option]
        for option, variable in PIP_TO_UV.items()
        if pip.get(option) and variable not in os.environ
    }
    if proxy := pip.get("proxy"):
        environment |= {
            name: proxy for name in ("HTTP_PROXY", "HTTPS_PROXY") if name not in os.environ
        }
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        environment["UV_NO_INDEX"] = "1"
    # As pip does, take a version from whichever index has it; the lock's hashes decide.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["VIRTUAL_ENV"] = str(VENV)
    return environment


def install(uv: str, profile: str) -> None:
    """Install the locked packages of a profile, and Cloche itself as an editable package."""
    environment = uv_environment(pip_configuration())
    requirements = ROOT / "build" / f"requirements-{profile}.txt"
    requirements.parent.mkdir(exist_ok=True)
    export = [uv, "export", "--quiet", "--frozen", "--no-emit-project", "--no-header"]
    run([*export, *PROFILES[profile], "--output-file", str(requirements)], **environment)
    uv_install = [uv, "pip", "install", "--python", str(VENV_PYTHON)]
    run(
        [*uv_install, "--require-hashes", "--compile-bytecode", "-r", str(requirements)],
        **environment,
    )
    run([*uv_install, "--quiet", "--no-deps", "--editable", str(ROOT)], **environment)
    # Containers often forbid Python to write bytecode, which makes every start slower.
    run([str(VENV_PYTHON), "-m", "compileall", "-q", "src"])


def main() -> int:
    """Set up the profile that the command line names."""
    if sys.argv[1:] not in [[name] for name in PROFILES]:
        print(f"usage: set_up.py {'|'.join(PROFILES)}", file=sys.stderr)
        return 2
    profile = sys.argv[1]
    try:
        make_environment()
        install(installed_uv(), profile)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    (VENV / f".set-up-{profile}").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
