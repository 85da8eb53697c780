from __future__ import annotations

import base64
import io
import os
import struct
import wave
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.learners import tiny_encoders
from tests.server.office import Office, running_office

from labelmill.errors import AccessError, StorageError
from labelmill.pipeline.embed import embed
from labelmill.pipeline.workspace import Workspace
from labelmill.server.settings import ServerSettings
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tasks import NewTask, put_tasks
from labelmill.stores.media.decoding import picture_sizes
from labelmill.stores.media.roots import open_under
from labelmill.stores.media.types import type_of


@dataclass
class Gallery:
    """A project of files, and somebody who may see them."""

    office: Office
    project: Project
    folder: Path
    client: Any

    def get(self, name: str, what: str = "preview", **headers: str) -> Any:
        """One form of the file of that name."""
        put_tasks(self.office.database, self.project, [NewTask(name, {"data": name, "facts": {}, "meta": {}})])
        item = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
        return self.client.get(f"/media/{self.project.public_id}/{item}/{what}", headers=headers)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Gallery]:
    folder = tmp_path_factory.mktemp("gallery")
    (folder.parent / "secret.png").write_bytes(_png(3, 3))
    with running_office(folder / "people.db", ServerSettings(requests_per_second=1e4, burst=1e4)) as office:
        project = office.project("gallery", schema={"modality": "image"})
        object.__setattr__(office.settings, "folders", {project.public_id: folder})
        object.__setattr__(office.settings, "cache", folder / "cache")
        yield Gallery(office, project, folder, office.newcomer(project)._http)


def test_neighbours_of_pictures_by_their_vectors(tmp_path: Path, migrated_file: Path) -> None:
    """Without vectors neighbours are not known, and asking for them is refused; with them the likest come first."""
    folder = tmp_path / "p"
    folder.mkdir()
    model = tiny_encoders.image_onnx(folder)
    (folder / "labelmill.toml").write_text(
        '[schema]\nmodality = "image"\nclasses = ["a", "b"]\n[annotate]\nengine = "serial"\n'
        f'[features]\nencoder = "image_onnx:{model.name}"\n'
    )
    colours = {"red.png": "#ff0000", "blue.png": "#0000ff", "dark.png": "#d01010"}
    for name, colour in colours.items():
        Image.new("RGB", (32, 32), colour).save(folder / name)
    workspace = Workspace.open(folder)
    with workspace.lake.append_items(source="test", modality="image") as appender:
        appender.write(pl.DataFrame({"id": list(colours), "data": list(colours)}))
    with running_office(tmp_path / "people.db", ServerSettings(requests_per_second=1e4, burst=1e4)) as office:
        project = office.project("neighbours", schema={"modality": "image"})
        object.__setattr__(office.settings, "folders", {project.public_id: folder})
        said = {"id": "m", "source": "m", "kind": "consensus", "score": 0.9, "value": "spam"}
        put_tasks(office.database, project, [NewTask(name, {"data": name}, suggestions=[said]) for name in colours])
        lead = office.newcomer(project, "lead")._http
        path = f"/api/projects/{project.public_id}/grid"

        before = lead.get(path).json()["neighbours"]
        refused = lead.get(path, params={"near": "red.png"}).status_code
        embed(workspace)
        after = lead.get(path).json()["neighbours"]
        found = lead.get(path, params={"near": "red.png"}).json()["items"]

    assert (False, 422, True) == (before, refused, after)
    assert ["red.png", "dark.png", "blue.png"] == [one["item"] for one in found]


def _png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says it has many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def _rotated_photo() -> bytes:
    """40 wide, 20 high as stored, to be turned by a quarter; with a place in its EXIF."""
    image = Image.new("RGB", (40, 20), (0, 120, 0))
    exif = image.getexif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.0)}
    exif[0x010F] = "SECRETCAMERA"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def _sound(seconds: float, rate: int = 8_000, hz: float = 1_000.0) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        times = np.arange(int(seconds * rate)) / rate
        file.writeframes((np.sin(2 * np.pi * hz * times) * 16_384).astype("<i2").tobytes())
    return out.getvalue()


def test_picture_is_upright_and_says_nothing_of_its_camera(gallery: Gallery) -> None:
    """A photo is turned as its EXIF says, and served without it; its size is told as seen."""
    (gallery.folder / "photo.jpg").write_bytes(_rotated_photo())

    answer = gallery.get("photo.jpg")
    with (gallery.folder / "photo.jpg").open("rb") as file:
        sizes = picture_sizes([os.dup(file.fileno())])

    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (20, 40)
        assert len(shown.getexif()) == 0
    assert b"SECRETCAMERA" not in answer.content
    assert sizes == [(20, 40)]


def test_thumbnail_is_small(gallery: Gallery) -> None:
    """A large picture has a thumbnail of at most 256 pixels, and a preview in full."""
    (gallery.folder / "large.png").write_bytes(_png(1_000, 500))

    small, large = gallery.get("large.png", "thumbnail"), gallery.get("large.png")

    with Image.open(io.BytesIO(small.content)) as thumbnail, Image.open(io.BytesIO(large.content)) as preview:
        assert (thumbnail.size, preview.size) == ((256, 128), (1_000, 500))


HOSTILE = {
    "bomb.png": _bomb(60_000, 60_000),
    "liar.png": _bomb(5_000, 5_000)[:60],
    "page.png": b"<html><script>alert(1)</script>",
    "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "empty.png": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_picture_is_refused(gallery: Gallery, name: str) -> None:
    """A decompression bomb, a truncated file, a page, a drawing with a script and PostScript are no pictures here."""
    (gallery.folder / name).write_bytes(HOSTILE[name])

    shown, saved = gallery.get(name), gallery.get(name, "original")

    assert shown.status_code == 422
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"] == "attachment"
    assert "sandbox" in saved.headers["content-security-policy"]


PATHS = ["../secret.png", "/etc/passwd", "sub/../../secret.png", "link.png", "linked/secret.png", ".", "fifo", "a\0b"]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_of_data_leads_out(tmp_path: Path, path: str) -> None:
    """Dots, absolute paths, links out, folders and pipes are refused."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "linked").symlink_to(tmp_path)
    os.mkfifo(root / "fifo")

    with pytest.raises((AccessError, StorageError)):
        open_under(root, path)


def test_paths_below_are_opened(tmp_path: Path) -> None:
    """A file below the folder is opened, by an absolute path or a link inside too."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("hello")
    (tmp_path / "b.txt").symlink_to(tmp_path / "sub" / "a.txt")

    for name in ("sub/a.txt", "b.txt", str(tmp_path / "sub" / "a.txt"), "sub/../sub/a.txt"):
        fd = open_under(tmp_path, name)
        try:
            assert os.read(fd, 9) == b"hello"
        finally:
            os.close(fd)


def test_hostile_paths_over_http(gallery: Gallery) -> None:
    """What an item names outside of the folder is not served."""
    answers = [gallery.get(name) for name in ("../secret.png", "/etc/passwd", "missing.png")]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_media_of_no_item_is_not_there(gallery: Gallery) -> None:
    """A file that no item names cannot be asked for."""
    (gallery.folder / "other.png").write_bytes(_png(2, 2))
    name = base64.urlsafe_b64encode(b"other.png").decode().rstrip("=")

    assert gallery.client.get(f"/media/{gallery.project.public_id}/{name}/preview").status_code == 404


def test_recording_in_parts(gallery: Gallery) -> None:
    """A recording is served whole or in the part asked for; a part outside is refused."""
    sound = _sound(1.0)
    (gallery.folder / "sound.wav").write_bytes(sound)

    whole = gallery.get("sound.wav", "original")
    part = gallery.get("sound.wav", "original", Range="bytes=10-19")
    end = gallery.get("sound.wav", "original", Range="bytes=-5")
    beyond = gallery.get("sound.wav", "original", Range="bytes=999999-")

    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, sound, "audio/wav")
    assert (part.status_code, part.content) == (206, sound[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(sound)}"
    assert end.content == sound[-5:]
    assert beyond.status_code == 416


def test_peaks_and_spectrogram_in_tiles(gallery: Gallery) -> None:
    """Half-scale sine: peaks of half scale, and a bright line at its frequency; tiles end with the recording."""
    (gallery.folder / "tone.wav").write_bytes(_sound(2.0))

    peaks = gallery.get("tone.wav", "peaks").json()
    tile = np.frombuffer(gallery.get("tone.wav", "peaks/200/0").content, dtype=np.int8).reshape(-1, 2)
    told = gallery.get("tone.wav", "spectrogram").json()
    with Image.open(io.BytesIO(gallery.get("tone.wav", "spectrogram/100/0").content)) as picture:
        grey = np.asarray(picture)

    assert peaks["duration"] == 2.0
    assert [level["per_second"] for level in peaks["levels"]] == [10, 200]
    assert peaks["levels"][1]["tiles"].endswith("/peaks/200/{tile}")
    assert tile.shape == (400, 2)
    assert {int(tile[:, 1].max()), -int(tile[:, 0].min())} <= {63, 64}
    assert grey.shape == (256, 200)
    loudest = 1 - np.argmax(grey[:, 100]) / 256
    assert loudest * min(told["max_hz"], 4_000.0) == pytest.approx(1_000, abs=60)
    assert gallery.get("tone.wav", "peaks/200/1").status_code == 404
    assert gallery.get("tone.wav", "peaks/7/0").status_code == 404


def test_made_once_and_kept(gallery: Gallery) -> None:
    """What was made of a file is kept, and made anew when the file changes."""
    path = gallery.folder / "kept.png"
    path.write_bytes(_png(30, 10))
    first, again = gallery.get("kept.png"), gallery.get("kept.png")
    path.write_bytes(_png(10, 30))

    changed = gallery.get("kept.png")

    assert first.content == again.content
    with Image.open(io.BytesIO(changed.content)) as image:
        assert image.size == (10, 30)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (_png(1, 1)[:64], "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (_sound(0.01)[:64], "audio/wav"),
        (b"<svg", None),
        (b"", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"%PDF-1.7", None),
    ],
)
def test_type_by_first_bytes(head: bytes, kind: str | None) -> None:
    """What a file is, its first bytes tell."""
    assert type_of(head) == kind


def test_pictures_of_examples_are_shown(gallery: Gallery) -> None:
    """An example of the guideline need be no item of the queue to be seen; what is neither stays hidden."""
    (gallery.folder / "cat.png").write_bytes(_png(4, 2))
    (gallery.folder / "dog.png").write_bytes(_png(4, 2))
    content = {"data": "cat.png", "facts": {"width": 4, "height": 2}, "meta": {}}
    example = {"item": "example:1", "content": content, "answer": "ham", "reason": ""}
    project = gallery.office.project("shown", schema={"modality": "image"}, examples=[example])
    gallery.office.settings.folders[project.public_id] = gallery.folder  # type: ignore[index]  # the fixture's dict
    client = gallery.office.newcomer(project)

    (told,) = client.project(project.public_id)["examples"]

    assert client.fetch_media(told["data"]["image"]).startswith(b"\x89PNG")
    hidden = told["data"]["image"].replace("ZXhhbXBsZTox", base64.urlsafe_b64encode(b"dog.png").decode().rstrip("="))
    with pytest.raises(AccessError, match="no such picture"):
        client.fetch_media(hidden)
