"""One small data set in every format that `fetch.source` takes."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from own_data import csv_text, idx_bytes
from PIL import Image


def flat(images):
    return images.reshape(len(images), -1)


def table(mark=",", header=None, last=False, index=False, quoted=False):
    """Writer of a text table: a header or none, the label first or last, perhaps row numbers."""

    def write(folder, images, labels):
        d = flat(images).shape[1]
        label = header if isinstance(header, str) else "label"
        names = [*(f"pixel{k}" for k in range(d)), label] if last else [
            label, *(f"pixel{k}" for k in range(d))]  # fmt: skip
        rows = [[*row, k] if last else [k, *row]
                for k, row in zip(labels.tolist(), flat(images).tolist(), strict=True)]  # fmt: skip
        if header:
            rows.insert(0, names)
        if index:
            rows = [["" if k == 0 else k - 1, *row] for k, row in enumerate(rows)]
        cell = '"{}"' if quoted else "{}"
        text = "".join(mark.join(cell.format(value) for value in row) + "\n" for row in rows)
        (folder / "data").write_text(text)

    return write


def arff(folder, images, labels):
    d = flat(images).shape[1]
    lines = ["% made for a test", "@RELATION digits"]
    lines += [f"@ATTRIBUTE 'p {k}' real" for k in range(d)]
    lines += [f"@ATTRIBUTE class {{{','.join(map(str, sorted(set(labels.tolist()))))}}}", "@DATA"]
    rows = zip(flat(images).tolist(), labels.tolist(), strict=True)
    lines += [",".join(map(str, [*row, label])) for row, label in rows]
    (folder / "digits.arff").write_text("\n".join(lines))


def libsvm(folder, images, labels):
    from sklearn.datasets import dump_svmlight_file

    pixels = flat(images).astype(float)
    dump_svmlight_file(pixels, labels, str(folder / "digits.t"), zero_based=False)


def csv_pair(
    folder, images, labels, names=("csvTrainImages 60k x 784.csv", "csvTrainLabel 60k x 1.csv")
):
    np.savetxt(folder / names[0], flat(images), "%d", ",")
    np.savetxt(folder / names[1], labels, "%d")


def semeion(folder, images, labels):
    rows = np.hstack([flat(images), np.eye(10)[labels]])
    np.savetxt(folder / "semeion.data", rows, "%.4f")


def fer(folder, images, labels):
    pairs = zip(labels, flat(images), strict=True)
    rows = [f"{label},{' '.join(map(str, row))},Training" for label, row in pairs]
    (folder / "fer.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]))


def sign_mnist(folder, images, labels):
    """A picture and folders beside the table, as in Kaggle's Sign Language MNIST."""
    (folder / "amer_sign.png").write_bytes(png(images[0]))
    table(header=True)(folder, images, labels)
    (folder / "sign_mnist_train").mkdir()
    table(header=True)(folder / "sign_mnist_train", images, labels)


def by_class(folder, images, labels):
    for k in range(10):
        np.save(folder / f"full_numpy_bitmap_{k}.npy", flat(images[labels == k]))


def mat_by_class(folder, images, labels):
    from scipy.io import savemat

    content = {f"train{k}": flat(images[labels == k]) for k in range(10)}
    savemat(folder / "mnist_all.mat", content)


def idx(folder, images, labels, prefix="", pack=bytes):
    for name, array in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
        (folder / f"{prefix}train-{name}-ubyte").write_bytes(pack(idx_bytes(array)))


def npz(folder, images, labels, names=("x", "y"), orders=lambda images: images):
    np.savez(folder / "data.npz", **{names[0]: orders(images), names[1]: labels})


def npz_pair(folder, images, labels):
    np.savez_compressed(folder / "kmnist-train-imgs.npz", images)
    np.savez_compressed(folder / "kmnist-train-labels.npz", labels)


def npy_pair(folder, images, labels):
    np.save(folder / "X_train.npy", images[:, None])
    np.save(folder / "y_train.npy", np.eye(10)[labels])


def mat(folder, images, labels):
    from scipy.io import savemat

    stored = np.moveaxis(images, 0, -1)[:, :, None]  # SVHN: (height, width, channels, n)
    savemat(folder / "digits.mat", {"X": stored, "y": labels[:, None]}, do_compression=True)


def mat_struct(folder, images, labels):
    from scipy.io import savemat

    savemat(folder / "digits.mat", {"set": {"train": {"images": images, "labels": labels}}})


def mat_73(folder, images, labels):
    import h5py

    head = b"MATLAB 7.3 MAT-file, made for a test".ljust(124) + b"\0\2IM"
    stored = np.moveaxis(images, 0, -1).T  # MATLAB's (height, width, n), axes in reverse
    with h5py.File(folder / "digits.mat", "w", userblock_size=512) as file:
        file["X"], file["y"] = stored, labels[None].astype(float)
    with (folder / "digits.mat").open("r+b") as file:
        file.write(head)


def hdf5(folder, images, labels):
    import h5py

    with h5py.File(folder / "usps.h5", "w") as file:
        file["train/data"], file["train/target"] = images, labels


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def parquet(folder, images, labels, names=None, shards=1):
    import pyarrow
    import pyarrow.parquet

    meta = {"info": {"features": {"label": {"_type": "ClassLabel", "names": names}}}}
    import json

    for k in range(shards):
        some = slice(k * len(images) // shards, (k + 1) * len(images) // shards)
        cells = [{"bytes": png(image), "path": None} for image in images[some]]
        content = pyarrow.table({"image": cells, "label": labels[some]})
        content = content.replace_schema_metadata({"huggingface": json.dumps(meta)})
        name = f"train-{k:05}-of-{shards:05}.parquet"
        pyarrow.parquet.write_table(content, folder / name)


def parquet_columns(folder, images, labels):
    import pyarrow
    import pyarrow.parquet

    columns = {"label": labels} | {f"{k}x": column for k, column in enumerate(flat(images).T)}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "train.parquet")


def folders(folder, images, labels, inside="a/b"):
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / inside / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))


def listed_files(folder, images, labels):
    (folder / "pictures").mkdir()
    for number, image in enumerate(images):
        (folder / "pictures" / f"{number}.png").write_bytes(png(image))
    rows = "".join(f"{number},{label}\n" for number, label in enumerate(labels))
    (folder / "labels.csv").write_text(f"id,label\n{rows}")


def zipped(write):
    def write_zip(folder, images, labels):
        inner = folder / "inner"
        inner.mkdir()
        write(inner, images, labels)
        with zipfile.ZipFile(folder / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(inner.rglob("*")):
                if path.is_file():
                    archive.write(path, Path("outer", path.relative_to(inner)))
                    archive.writestr(f"__MACOSX/outer/._{path.name}", b"\0\5\x16\7")
        _remove(inner)

    return write_zip


def tarred(write, mode="w:gz"):
    def write_tar(folder, images, labels):
        inner = folder / "inner"
        inner.mkdir()
        write(inner, images, labels)
        with tarfile.open(folder / "archive", mode) as archive:
            archive.add(inner, "outer")
        _remove(inner)

    return write_tar


def _remove(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()


def packed_csv(pack, name="train.csv"):
    def write(folder, images, labels):
        (folder / name).write_bytes(pack(csv_text(flat(images), labels).encode()))

    return write


# Each writes (n, height, width) bytes and (n,) labels from 0 to 9 into an empty folder.
FORMATS = {
    "csv": table(header=True),
    "csv without a header": table(),
    "csv, label last": table(header="class", last=True),
    "csv without a header, label last": table(last=True),
    "csv with row numbers": table(header=True, index=True),
    "csv with quotes": table(header="target", quoted=True),
    "csv with semicolons": table(";", header="y"),
    "tsv": table("\t", header="digit", last=True),
    "tsv without a header": table("\t"),
    "spaces": table(" "),
    "csv pair": csv_pair,
    "csv pair, other names": lambda *data: csv_pair(
        *data, names=("ARDIS_train_2828.csv", "ARDIS_train_labels.csv")
    ),
    "csv, one-hot": semeion,
    "csv with a column of all pixels": fer,
    "csv beside pictures": sign_mnist,
    "csv.gz": packed_csv(gzip.compress),
    "csv.bz2": packed_csv(bz2.compress),
    "csv.xz": packed_csv(lzma.compress),
    "csv in a zip": zipped(table(header=True)),
    "arff": arff,
    "libsvm": libsvm,
    "idx": idx,
    "idx.gz": lambda *data: idx(*data, pack=gzip.compress),
    "idx with a prefix": lambda *data: idx(*data, prefix="my-digits-"),
    "idx in a zip": zipped(idx),
    "npz": npz,
    "npz, other names": lambda *data: npz(*data, names=("train_images", "train_labels")),
    "npz, n last": lambda *data: npz(*data, orders=lambda images: np.moveaxis(images, 0, -1)),
    "npz, flat": lambda *data: npz(*data, names=("data", "target"), orders=flat),
    "npz pair": npz_pair,
    "npy pair": npy_pair,
    "npy pair in a tar.gz": tarred(npy_pair),
    "npy by class": by_class,
    "mat by class": mat_by_class,
    "mat": mat,
    "mat with a struct": mat_struct,
    "mat 7.3": mat_73,
    "hdf5": hdf5,
    "parquet": parquet,
    "parquet in shards": lambda *data: parquet(*data, shards=3),
    "parquet of columns": parquet_columns,
    "folders": folders,
    "folders in a zip": zipped(folders),
    "folders in a tar": tarred(folders, "w"),
    "folders in a tar.xz": tarred(folders, "w:xz"),
    "table of files": listed_files,
    "table of files in a zip": zipped(listed_files),
}
NEEDS = {"mat 7.3": "h5py", "hdf5": "h5py"} | {
    name: "pyarrow" for name in FORMATS if name.startswith("parquet")
}
