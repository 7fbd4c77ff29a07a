"""Reading of the brightness of photographs, scans and screenshots with Pillow."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stages.common.files.image_files import FORMATS, natural_order, opened_image

if TYPE_CHECKING:
    from PIL.Image import Image

# Photographs are reduced to this width and height, in pixels, while they are decoded.
_REDUCED_SIZE = 1_000


def read_picture(content: bytes) -> NDArray[np.float64]:
    """Read the brightness of a photograph, scan or screenshot.

    The orientation in the metadata is applied. Transparent pixels become white, or black if white
    would give less contrast. Large images are reduced to about 1000 pixels.

    Args:
        content: Content of the file.

    Returns:
        Brightness from 0 (black) to 1 (white), (height, width).

    Raises:
        UnreadableError: If it is not a whole single image, or too large.
    """
    from PIL import ImageOps

    with opened_image(io.BytesIO(content)) as image:
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


def pictures_in(folder: Path) -> tuple[list[Path], list[str]]:
    """Pictures of a folder by the suffixes of image formats, and the names of the other entries.

    Both are in the order of numbers in names, 9.png before 10.png.
    """
    from PIL import Image

    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    visible.sort(key=lambda path: natural_order(path.name))
    pictures = [path for path in visible if path.is_file() and path.suffix.lower() in suffixes]
    return pictures, [path.name for path in visible if path not in set(pictures)]
