"""The pipeline's stages, one Click script each: `python -m stages.NAME --help`.

- `fetch`       data set → `data/raw/`; where data sets come from is in `sources`
- `preprocess`  `data/raw/` → `data/prepared/`
- `train`       `data/prepared/` → `data/model/`, live curves in `data/training/`
- `evaluate`    model and test set → `metrics.json`, `data/evaluation/`; it measures with
                `predictions` and draws with `pictures`
- `summarize`   the metrics of several runs → their mean and spread
- `tune`        `data/prepared/` and a search `space` → `data/search/`; it makes a `plan`, tries
                with `search` on joblib's `engines` (Dask's is in `cluster`), and reports with
                `ranking` and `trade_off`
- `adopt`       the best of a search → `params.yaml`

They share `cli` (parameters and errors), `knobs` (those of training), `files` (artifacts, read with
care and written whole), `datasets` (what a raw and a prepared data set consist of), `png` (how
pictures are written) and `progress` (signs of life).

Stages know files, Click, DVCLive and progress bars; `nn` knows arrays. No stage imports another.
"""
