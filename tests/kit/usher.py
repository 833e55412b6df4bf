"""The `usher` command in processes of its own, as an administrator runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USHER = str(Path(sys.executable).parent / "usher")


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


class Usher:
    """Commands with one environment and one folder; nothing of the machine's own leaks in."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "SECRET_KEY": "a secret of this test and no other",
            **environ,
        }

    def __call__(self, *words: str, code: int | None = 0, timeout: float = 280) -> Answer:
        """Run a command; another exit code than expected fails with what it said."""
        done = subprocess.run(
            [USHER, *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert code is None or answer.code == code, (words, answer)
        return answer

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on until it is stopped; who reads too little need not wait for it."""
        process = subprocess.Popen(
            [USHER, *words],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def serving(self, port: int, *words: str) -> Iterator[subprocess.Popen[str]]:
        """`usher serve` until the block ends; it has to start, and to stop by SIGTERM."""
        process = subprocess.Popen(
            [USHER, "serve", *words],
            cwd=self.folder,
            env=self.environ | {"PORT": str(port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise


def wait_until_ready(url: str, process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Wait for a 200; a process that ended instead fails with what it said."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"usher serve ended: {process.communicate()[1]}")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer within {seconds} s")


def wait_for_port(port: int, seconds: float = 30) -> None:
    """Wait until somebody listens on a port of this machine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nothing listens on {port}")
