"""Which of docker, podman and buildah is to be used: the first that works, or the one that
PYTOON_CONTAINER_ENGINE names."""

import os
import shutil
import subprocess


def works(name):
    """docker's command alone is not enough: it speaks to a daemon."""
    if not shutil.which(name):
        return False
    if name != "docker":
        return True
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


def chosen(names):
    wanted = os.environ.get("PYTOON_CONTAINER_ENGINE")
    return next((n for n in ([wanted] if wanted else names) if works(n)), None)
