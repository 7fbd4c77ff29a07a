"""A stand-in for openml.org: its API's answers for data sets made here, served on loopback or laid
into scikit-learn's cache."""

import gzip
import hashlib
import http.server
import json
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
from sklearn.datasets import _openml, load_digits


def answers(name, version, pixels, labels, *, data_id=4242, kinds=None, host="http://openml.test"):
    """Path → content of every page that `fetch_openml` asks for."""
    d = pixels.shape[1]
    kinds = kinds or ["numeric"] * d
    names = sorted({str(label) for label in labels})
    lines = [f"@relation {name}"]
    for k, kind in enumerate(kinds):
        lines.append(f"@attribute p{k} {'{a,b}' if kind == 'nominal' else 'real'}")
    lines += [f"@attribute class {{{','.join(names)}}}", "@data"]
    lines += [
        ",".join(map(str, [*row, label]))
        for row, label in zip(pixels.tolist(), labels, strict=True)
    ]
    arff = "\n".join(lines).encode()
    file = f"data/v1/download/{data_id}/{name}.arff"
    description = {
        "id": str(data_id),
        "name": name,
        "version": str(version),
        "description": "made for a test",
        "format": "ARFF",
        "file_id": str(data_id),
        "url": f"{host}/{file}",
        "md5_checksum": hashlib.md5(arff).hexdigest(),
        "status": "active",
    }
    features = [
        {
            "index": str(k),
            "name": f"p{k}" if k < d else "class",
            "data_type": kinds[k] if k < d else "nominal",
            "is_target": str(k == d).lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": "0",
        }
        for k in range(d + 1)
    ]
    listed = {"did": data_id, "name": name, "version": version, "status": "active"}
    quality = {"name": "NumberOfInstances", "value": str(float(len(pixels)))}
    api = "api/v1/json/data"
    pages = {
        f"{api}/list/data_name/{name.lower()}/limit/2/data_version/{version}": {
            "data": {"dataset": [listed]}
        },
        f"{api}/{data_id}": {"data_set_description": description},
        f"{api}/features/{data_id}": {"data_features": {"feature": features}},
        f"{api}/qualities/{data_id}": {"data_qualities": {"quality": [quality]}},
    }
    return {path: json.dumps(page).encode() for path, page in pages.items()} | {file: arff}


def fill_cache(home, pages):
    """Lay the pages where scikit-learn's `fetch_openml` would have cached them."""
    for path, content in pages.items():
        target = Path(home) / "openml" / "openml.org" / f"{path}.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content))


def digits():
    """Scikit-learn's 1 797 digits of 8×8 pixels from 0 to 16, and their labels as text."""
    pixels, labels = load_digits(return_X_y=True)
    return pixels.astype(int), labels.astype(str)


def squares(n=60):
    """Nine pixels, two classes: small enough to be read as ARFF in no time."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, 9))
    return pixels, np.where(np.arange(n) % 2 == 0, "cat", "dog")


@contextmanager
def website(pages):
    """Serve pages on loopback. Yields the address and the list of requests.

    A page is its content, the HTTP status to fail with, or a function that writes the whole answer.
    """
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = unquote(self.path).strip("/")
            asked.append(path)
            page = pages.get(path, 412)
            if callable(page):
                with suppress(OSError):  # the client has given up
                    page(self.wfile.write)
                return
            status, content = (page, b"{}") if isinstance(page, int) else (200, page)
            content = content.replace(b"http://openml.test", host.encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        host = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield host, asked
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving(pages, monkeypatch):
    """Serve OpenML's pages on loopback, and send scikit-learn there. Yields the requests."""
    # Between two attempts, it need not wait.
    monkeypatch.setattr(_openml, "time", SimpleNamespace(sleep=lambda seconds: None))
    with website(pages) as (host, asked):
        for constant in ("_SEARCH_NAME", "_DATA_INFO", "_DATA_FEATURES", "_DATA_QUALITIES"):
            address = getattr(_openml, constant).replace("https://www.openml.org", host)
            monkeypatch.setattr(_openml, constant, address)
        yield asked
