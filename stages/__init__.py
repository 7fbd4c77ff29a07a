"""The pipeline's stages, one Click script each: `python -m stages.NAME --help`.

- `fetch`       data set → `data/raw/`; where data sets come from is in `sources`, and in
                `own_data` for files of one's own
- `preprocess`  `data/raw/` → `data/prepared/`
- `train`       `data/prepared/` → `data/model/`, live curves in `data/training/`
- `evaluate`    model and test set → `metrics.json`, `data/evaluation/`; it measures with
                `predictions` and draws with `pictures`
- `export`      model → `data/export/`: `onnx_model`, the model `card`, and the `drawing_page`,
                whose parts are in `page/`
- `predict`     pictures → answers; no part of the pipeline. `photographs` reads them
- `summarize`   the metrics of several runs → their mean and spread
- `tune`        `data/prepared/` → `data/search/`; how, is in `searching`
- `adopt`       the best of a search → `params.yaml`

They share `cli` (parameters and errors), `knobs` (those of training), `files` (artifacts, read with
care and written whole), `datasets` (what a raw and a prepared data set consist of), `models`, `png`
(how pictures are written) and `progress` (signs of life).

Stages know files, Click, DVCLive and progress bars; `nn` knows arrays. No stage imports another.
"""
