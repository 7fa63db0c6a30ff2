"""Debian's nginx in front of several instances, set up as the README says."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from app.settings import ROOT
from tests.install_packages import nginx
from tests.notify.post import until
from tests.serving import free_port

_WHOLE = """daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {said}
}}
"""


class Nginx:
    """A proxy whose instances can be taken out and put back, at `address`."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        text = (ROOT / "README.md").read_text("utf-8")
        found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
        assert found, "the README shows how"
        self.folder, self.ports, own = folder, ports, free_port()
        self.address = f"http://127.0.0.1:{own}"
        self.said = found[1].replace("127.0.0.1:8080", f"127.0.0.1:{own}")
        for shown, port in zip((8001, 8002), ports, strict=True):
            self.said = self.said.replace(f"127.0.0.1:{shown}", f"127.0.0.1:{port}")
        self._write(self.said)

    def _write(self, said: str) -> None:
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(_WHOLE.format(folder=self.folder, said=said, user=user))

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        command = [
            str(nginx()),
            "-p",
            str(self.folder),
            "-c",
            str(self.folder / "nginx.conf"),
            "-e",
            "stderr",
            *words,
        ]
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(command, stderr=said)

    @contextlib.contextmanager
    def running(self) -> Iterator["Nginx"]:
        process = self._run()
        try:
            until(lambda: (self.folder / "pid").exists() and bool((self.folder / "pid").read_text().strip()), 5)
            yield self
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)

    def send_to_all_but(self, port: int | None) -> None:
        """Pass requests to all instances but one; as `nginx -s reload` does, which returns when it is asked for."""
        out = f"127.0.0.1:{port} max_fails=0"
        self._write(self.said.replace(out, f"{out} down"))
        assert self._run("-s", "reload").wait(5) == 0
