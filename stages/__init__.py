"""The pipeline's stages, one Click script each: `python -m stages.NAME --help`.

- `fetch`       data set → `data/raw/`; where data sets come from is in `sources`, and in `local`
                for files of one's own: `idx`, `npz`, `kaggle` and `class_folders` read them
- `preprocess`  `data/raw/` → `data/prepared/`
- `train`       `data/prepared/` → `data/model/`, live curves in `data/training/`
- `evaluate`    model and test set → `metrics.json`, `data/evaluation/`; it measures with
                `predictions` and draws with `pictures`

They share `cli` (parameters and errors), `files` (artifacts, read with care and written whole),
`datasets` (what a raw and a prepared data set consist of) and `progress` (signs of life).

Stages know files, Click, DVCLive and progress bars; `nn` knows arrays. No stage imports another.
"""
