"""Reading of image files with Pillow, and the exact pixels of an image for data sets."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

# Pillow opens some other formats by running external programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 100_000_000
# Pictures in formats that Pillow does not read, by a pattern of their first bytes.
OTHER_FORMATS = (
    (rb"....ftyp(hei|hev|mif1|msf1|avi[fs])", "a HEIC or AVIF photograph"),
    (rb"%PDF|%!PS", "a PDF or PostScript file"),
    (rb"\s*(<\?xml[^>]*>\s*)?((<!--.*?-->|<!DOCTYPE[^>]*>)\s*)*<svg", "an SVG drawing"),
)
CONVERSION = "convert it to PNG, for example with the command magick of ImageMagick"
_DEEP = {"I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "I": np.int32, "F": np.float32}


class UnreadableError(ValueError):
    """The file is not an image, or is damaged or too large; the message says which."""


def natural_order(name: str) -> tuple[list, str]:
    """Sorting key that puts 9.png before 10.png."""
    # Every second piece is a number, so numbers are compared only with numbers.
    pieces: list = re.split(r"(\d+)", name, flags=re.ASCII)
    pieces[1::2] = map(int, pieces[1::2])
    return pieces, name


@contextmanager
def opened_image(file: BinaryIO) -> Iterator["Image"]:
    """Open a file with one image; errors of its decoder become an `UnreadableError`."""
    # Imported here: Pillow takes a moment to import, and `--help` should be fast.
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged metadata
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                # The JPEG file of a phone may contain a second image, such as a preview (MPO).
                if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                    raise UnreadableError(
                        "expected a file with one image, got several images; save each as a file"
                    )
                yield image
    except (UnreadableError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        file.seek(0)
        raise UnreadableError(_unidentified(file.read(1024))) from error
    except Image.DecompressionBombError as error:
        raise UnreadableError(
            f"expected an image of at most {MAX_PIXELS // 10**6} million pixels"
        ) from error
    except Exception as error:  # Pillow's decoders raise exceptions of many types
        if getattr(error, "errno", None):  # the disk failed
            raise
        raise UnreadableError(f"expected a whole image, got a damaged one ({error})") from error


def _unidentified(head: bytes) -> str:
    expected = f"expected an image ({', '.join(FORMATS)})"
    found = [name for pattern, name in OTHER_FORMATS if re.match(pattern, head, re.DOTALL)]
    return f"{expected}, got {found[0]}; {CONVERSION}" if found else expected


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

    with opened_image(io.BytesIO(content)) as stored:
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
