import hashlib
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from defocus_core.io.write import write
from workflow_support import downloads


@pytest.fixture
def server(tmp_path):
    """A local server of `tmp_path / "web"` that notes its requests; `cut` breaks each answer short."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            file = tmp_path / "web" / self.path.strip("/")
            asked = self.headers.get("Range")
            web.requests.append((self.path, asked))
            if not file.is_file():
                self.send_error(404)
                return
            data = file.read_bytes()
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start : web.cut])

        def log_message(self, *_):
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.requests, web.cut = [], None
    web.url = f"http://127.0.0.1:{web.server_port}"
    (tmp_path / "web").mkdir()
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield web
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def archive(tmp_path, server):
    """An archive of two photographs on the server: its address and its digest."""
    rng = np.random.default_rng(0)
    file = tmp_path / "web/set.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for name in ("a", "b"):
            write(tmp_path / f"{name}.png", rng.integers(0, 256, (200, 200, 3), dtype=np.uint8))
            packed.write(tmp_path / f"{name}.png", f"set/{name}.png")
        packed.writestr("set/readme.txt", "terms")
    return f"{server.url}/set.zip", hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_archive_is_fetched_once_and_unpacked(tmp_path, server, archive):
    url, digest = archive
    for _ in range(2):
        file = downloads.fetch_file(url, sha256=digest, cache=tmp_path / "cache")
    assert len(server.requests) == 1
    found = downloads.unpack_images(file, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in found] == ["set/a.png", "set/b.png"]
    assert found[0].read_bytes() == (tmp_path / "a.png").read_bytes()
    assert not (tmp_path / "out/set/readme.txt").exists()


def test_a_broken_transfer_goes_on_where_it_broke(tmp_path, server, archive):
    url, digest = archive
    server.cut = 200_000
    with pytest.raises(downloads.DownloadError, match="run again to go on"):
        downloads.fetch_file(url, sha256=digest, cache=tmp_path / "cache")
    server.cut = None
    downloads.fetch_file(url, sha256=digest, cache=tmp_path / "cache")
    assert server.requests == [("/set.zip", None), ("/set.zip", f"bytes={3 << 16}-")]


def test_another_file_than_asked_for_is_refused_and_not_kept(tmp_path, archive):
    url, digest = archive
    with pytest.raises(downloads.DownloadError, match=digest):
        downloads.fetch_file(url, sha256="0" * 64, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_missing_file_is_named(tmp_path, server):
    with pytest.raises(downloads.DownloadError, match=r"none\.zip: 404"):
        downloads.fetch_file(f"{server.url}/none.zip", sha256="0" * 64, cache=tmp_path / "cache")


@pytest.mark.parametrize("name", ["../out.png", "/tmp/out.png", "a/../../out.png"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr("good.png", b"1")
        packed.writestr(name, b"1")
    with pytest.raises(downloads.DownloadError, match="would leave the folder"):
        downloads.unpack_images(tmp_path / "bad.zip", tmp_path / "folder")
    assert not list((tmp_path / "folder").iterdir())


def test_links_and_bombs_and_empty_archives_are_refused(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    for name, contents, message in (
        ("link", [(link, "/etc/passwd")], "would leave"),
        ("bomb", [("a.png", bytes(10**7))], "no archive of photographs"),
        ("none", [("a.txt", "text")], "no photograph in"),
    ):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for member in contents:
                packed.writestr(*member)
        with pytest.raises(downloads.DownloadError, match=message):
            downloads.unpack_images(tmp_path / f"{name}.zip", tmp_path / name)


def test_a_single_photograph_needs_no_archive(tmp_path):
    write(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    assert downloads.unpack_images(tmp_path / "a.png", tmp_path / "out") == [tmp_path / "out/a.png"]
    (tmp_path / "a.pt").write_bytes(b"0")
    with pytest.raises(downloads.DownloadError, match="neither a zip archive nor"):
        downloads.unpack_images(tmp_path / "a.pt", tmp_path / "out")
