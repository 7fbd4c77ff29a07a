"""The model card: what the model is, how good it is, what it is for. Made from the artifacts alone."""

from typing import Any

import yaml

from nn import Network

# Hugging Face reads what stands between the lines of dashes.
_CARD = """---
{header}---

# A network that recognises {what}

A multi-layer perceptron of {sizes} units, written and trained in NumPy: {activation} hidden units,
{loss} loss. `model.npz` is read by `nn.load`, `model.onnx` by any ONNX runtime, and `page.html` is a
page to draw on, for any browser.

## Data

{data}

## Metrics

On {test_images} test images that training never saw:

| metric | value |
|---|---|
{metrics}

## Intended use

Learning how neural networks work, and as a baseline: recognising one centred {side}×{side} image at a
time of the classes {classes}. Inputs are pixels scaled so that {low:g} becomes 0 and {high:g} becomes
1; pictures from elsewhere have to be prepared as the training images were (`python -m stages.predict`
does).

## Limits

- It answers with one of its classes whatever it is shown; its confidence is calibrated on images like
  those it was trained on only (expected calibration error {calibration_error:.2%}).
- A network of this kind knows nothing of neighbouring pixels: shifted, turned or scaled images that
  were not prepared are recognised much less often.
- It was measured on one data set, whose writers are not a sample of all people.
"""
