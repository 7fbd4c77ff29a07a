"""Pictures as people have them, photographs, scans and screenshots, as brightness from 0 to 1."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

# Not all that Pillow can open: some formats run other programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
# More is no picture of one digit, and would fill the memory.
_MOST_PIXELS = 100_000_000
# Larger ones are made smaller while they are read: a digit needs no more.
_ENOUGH = 1_000


class UnreadableError(ValueError):
    """The file is no picture, or a broken or far too large one; the message says which."""


def read_picture(content: bytes) -> NDArray[np.float64]:
    """Brightness of a PNG, JPEG or similar file, (height, width), 0 is black and 1 white.

    It is turned as the camera says it was held. Behind what is transparent there is white, or
    black if one would see nothing on white.

    Raises:
        UnreadableError: If it is no whole picture, or too large.
    """
    # Imported here: it takes a moment, and `--help` should not.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise Image.DecompressionBombError
                image.draft("L", (_ENOUGH, _ENOUGH))
                upright = _with_shades(ImageOps.exif_transpose(image))
                upright.thumbnail((_ENOUGH, _ENOUGH), reducing_gap=2.0)
                rgba = np.asarray(upright.convert("RGBA"), dtype=np.float64) / 255.0
    except UnidentifiedImageError as error:
        raise UnreadableError("it is no picture that can be read") from error
    except Image.DecompressionBombError as error:
        most = _MOST_PIXELS // 10**6
        raise UnreadableError(f"it is too large; at most {most} million pixels are read") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableError(f"it is a broken picture ({error})") from error
    # Luma, as television has weighted the colours since ITU-R BT.601.
    luma, alpha = rgba[..., :3] @ (0.299, 0.587, 0.114), rgba[..., 3]
    on_white = luma * alpha + (1.0 - alpha)
    return on_white if np.ptp(on_white) > np.ptp(luma * alpha) else luma * alpha


def _with_shades(image: "Image") -> "Image":
    """The picture in a mode whose pixels can be averaged, without loss of contrast."""
    from PIL import Image

    if image.mode[0] in "IF":  # more than 8 bits, or floats, in a range of their own
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        values = (values - values.min()) / max(np.ptp(values), 1e-9)
        return Image.fromarray(np.rint(255 * values).astype(np.uint8))
    if image.mode in ("1", "P"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that are called like pictures, by name; hidden ones left out."""
    from PIL import Image

    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
