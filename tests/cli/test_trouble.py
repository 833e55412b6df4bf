"""What goes wrong on a machine: each a sentence and its exit code, never a traceback."""

from __future__ import annotations

import os
import pty
import signal
import socket
import stat
import subprocess
import time
from contextlib import suppress

import pytest

from tests.kit.postgres import free_port
from tests.kit.usher import USHER, Usher, wait_for_port


def test_a_port_that_is_taken_is_said_before_any_secret_is_shown(usher):
    """The first start's password would be lost above the error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        usher.environ["PORT"] = str(taken.getsockname()[1])
        answer = usher("serve", code=78)
    assert "cannot listen on 127.0.0.1" in answer.err
    assert "Password" not in answer.err
    assert "Traceback" not in answer.err


def test_two_ushers_do_not_share_a_port(usher):
    """Half of the requests would go to the other company."""
    port = free_port()
    with usher.serving(port, "--no-scheduler"):
        usher.environ["PORT"] = str(port)
        assert "Stop the other program" in usher("serve", code=78).err


def test_ctrl_c_stops_a_terminal_in_a_moment(usher):
    """The workers are stopped by Usher, not by the terminal: four in a row."""
    port = free_port()
    for _ in range(4):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(usher.folder)
            environ = usher.environ | {"PORT": str(port)}
            os.execve(USHER, [USHER, "serve", "--no-scheduler"], environ)
        try:
            wait_for_port(port)
            os.write(terminal, b"\x03")
            assert ended(pid, terminal, seconds=10), "still there after ten seconds"
        finally:
            os.close(terminal)


def ended(pid, terminal, seconds):
    """Whether a process ended in time; what it says is read, so that it can say it."""
    deadline = time.monotonic() + seconds
    os.set_blocking(terminal, False)
    while time.monotonic() < deadline:
        with suppress(OSError):
            os.read(terminal, 65_536)
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{folder}/no-database.txt", "file is not a database"),
        ("sqlite:///{folder}/no-database.txt/usher.db", "cannot be opened"),
    ],
)
def test_a_database_that_is_none_is_said(usher, url, sentence):
    """69: nothing was done."""
    (usher.folder / "no-database.txt").write_text("dear diary " * 100)
    usher.environ["DATABASE_URL"] = url.format(folder=usher.folder)
    assert sentence in usher("seats", code=69).err


def test_the_database_is_for_its_owners_eyes_only(usher):
    """It holds password hashes and addresses."""
    usher("seats")
    for path in usher.folder.glob("usher.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_who_reads_only_the_beginning_ends_nothing_in_tears(usher):
    """`usher people | head -1`."""
    usher("sync", "corp")
    done = subprocess.run(
        f"{USHER} people --json | head -1",
        shell=True,
        cwd=usher.folder,
        env=usher.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_lost_password_is_replaced_and_the_sessions_end(usher):
    """A4: by whoever has the machine; the new one is used once."""
    usher("admin", "reset-password", code=1)
    with usher.serving(free_port(), "--no-scheduler"):
        pass
    first = usher("admin", "reset-password").out.strip()
    second = usher("admin", "reset-password", "--json").json
    assert second["address"] == "admin@localhost"
    assert len(first) >= 16
    assert first != second["password"]


def test_an_approval_needs_words(usher):
    """R4: an empty reason is none."""
    usher("sync", "corp")
    assert "say why" in usher("approve", "1", "--comment", "  ", code=64).err


def test_a_relay_that_is_away_is_not_a_delivery(usher):
    """75: the letters stay, and the sentence says why."""
    usher("sync", "corp")
    usher.environ |= {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "usher@corp.example"}
    assert "3 could not" in usher("jobs", "run", "delivery", code=75).err


def test_the_demo_has_its_own_configuration_whatever_database_is_named(tmp_path):
    """A newcomer with a DATABASE_URL gets the demo in it."""
    url = f"sqlite:///{tmp_path}/elsewhere/usher.db"
    usher = Usher(tmp_path, {"DATABASE_URL": url})
    usher("demo")
    environ = {"DATABASE_URL": url, "USHER_CONFIG": str(tmp_path / "data" / "usher.toml")}
    assert Usher(tmp_path, environ)("seats", "--json").json["taken"] == 30
    (tmp_path / "mine.toml").write_text("")
    other = Usher(tmp_path, {"USHER_CONFIG": str(tmp_path / "mine.toml")})
    assert "without the demo" in other("demo", code=78).err


def test_a_cleared_demo_takes_its_limit_with_it_and_is_cleared_once(tmp_path):
    """Whoever comes next has the seats they say they have."""
    usher = Usher(tmp_path, {})
    usher("demo")
    assert "37 demo people were removed" in usher("demo", "--clear").err
    assert usher("seats", "--json").json["limit"] is None
    assert "no demo to clear" in usher("demo", "--clear").err
