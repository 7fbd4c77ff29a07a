"""Pictures as people have them, photographs, scans and screenshots, as brightness from 0 to 1."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# More is no picture of one digit, and would fill the memory.
_MOST_PIXELS = 100_000_000
# Larger ones are halved, and halved again, while they are read: a digit needs no more.
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
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise Image.DecompressionBombError
                image.draft("L", (_ENOUGH, _ENOUGH))
                upright = ImageOps.exif_transpose(image)
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


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that are called like pictures, by name."""
    from PIL import Image

    known = Image.registered_extensions()
    return sorted(
        path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in known
    )
