"""ONNX, the model card and the page to draw on, for the stage `export`."""
