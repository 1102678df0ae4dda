"""How uv is to behave on every machine. Only the standard library is used: the set-up needs it first."""

import os
import sys
from pathlib import Path

_SYSTEM_CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def uv_environment() -> dict[str, str]:
    """Variables for uv: quiet, with the interpreter at hand, and trusting what the machine trusts.

    uv brings certificates of its own and would refuse a package index behind a company's proxy, which pip accepts.
    """
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    if sys.platform == "darwin" or any(map(os.path.exists, _SYSTEM_CERTIFICATES)):
        settings["UV_SYSTEM_CERTS"] = "true"
    return settings


def with_uv_on_path(environment: dict[str, str]) -> dict[str, str]:
    """The environment, with the commands of this interpreter's own environment found first."""
    return {
        **environment,
        **uv_environment(),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", os.defpath))),
    }
