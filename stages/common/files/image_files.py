"""Reading of image files with Pillow: exact pixels for data sets, brightness for photographs."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

# Pillow opens some other formats by running external programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 100_000_000
# Photographs are reduced to this width and height, in pixels, while they are decoded.
_REDUCED_SIZE = 1_000
_DEEP = {"I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "I": np.int32, "F": np.float32}


class UnreadableError(ValueError):
    """The file is not an image, or is damaged or too large; the message says which."""


@contextmanager
def _opened(file: BinaryIO) -> Iterator["Image"]:
    """Open an image; errors of its decoder become an `UnreadableError`."""
    # Imported here: Pillow takes a moment to import, and `--help` should be fast.
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged metadata
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                yield image
    except (UnreadableError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise UnreadableError(f"expected an image ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise UnreadableError(
            f"expected an image of at most {MAX_PIXELS // 10**6} million pixels"
        ) from error
    except Exception as error:  # Pillow's decoders raise exceptions of many types
        if getattr(error, "errno", None):  # the disk failed
            raise
        raise UnreadableError(f"expected a whole image, got a damaged one ({error})") from error


def read_grey(content: bytes) -> tuple[NDArray, bool]:
    """Read the exact pixels of an image in greyscale.

    Colours become luma, and transparent pixels white. The orientation in the metadata is applied.

    Args:
        content: Content of the file.

    Returns:
        Pixels, (height, width), uint8, or the type of an image of more than 8 bits per pixel; and
        whether the image is stored in colour.

    Raises:
        UnreadableError: If it is not a whole single image, or too large.
    """
    from PIL import Image, ImageOps

    with _opened(io.BytesIO(content)) as stored:
        # The JPEG file of a phone may contain a second image, such as a preview (format MPO).
        if stored.format != "MPO" and getattr(stored, "n_frames", 1) > 1:
            raise UnreadableError("expected a file with one image, got several images")
        image = ImageOps.exif_transpose(stored)
        if image.mode in _DEEP:
            return np.asarray(image).astype(_DEEP[image.mode]), False
        is_coloured = image.mode not in ("1", "L", "LA", "La")
        if image.has_transparency_data:
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image.convert("RGBA"))
        if image.mode not in ("1", "L"):
            image = image.convert("RGB")
        return np.asarray(image.convert("L")), is_coloured


def read_picture(content: bytes) -> NDArray[np.float64]:
    """Read the brightness of a photograph, scan or screenshot.

    The orientation in the metadata is applied. Transparent pixels become white, or black if white
    would give less contrast. Large images are reduced to about 1000 pixels.

    Args:
        content: Content of the file.

    Returns:
        Brightness from 0 (black) to 1 (white), (height, width).

    Raises:
        UnreadableError: If it is not a whole image, or too large.
    """
    from PIL import ImageOps

    with _opened(io.BytesIO(content)) as image:
        image.draft("L", (_REDUCED_SIZE, _REDUCED_SIZE))
        upright = _averageable(ImageOps.exif_transpose(image))
        upright.thumbnail((_REDUCED_SIZE, _REDUCED_SIZE), reducing_gap=2.0)
        rgba = np.asarray(upright.convert("RGBA"), dtype=np.float64) / 255.0
    luma, alpha = rgba[..., :3] @ (0.299, 0.587, 0.114), rgba[..., 3]  # ITU-R BT.601
    on_white = luma * alpha + (1.0 - alpha)
    return on_white if np.ptp(on_white) > np.ptp(luma * alpha) else luma * alpha


def _averageable(image: "Image") -> "Image":
    """Convert an image to a mode in which pixels can be averaged, keeping its contrast."""
    from PIL import Image

    if image.mode[0] in "IF":  # more than 8 bits per pixel, with an unknown range
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        values = (values - values.min()) / max(np.ptp(values), 1e-9)
        return Image.fromarray(np.rint(255 * values).astype(np.uint8))
    if image.mode in ("1", "P"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def pictures_in(folder: Path) -> list[Path]:
    """List the files of a folder that have the suffix of an image format, sorted by name."""
    from PIL import Image

    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
