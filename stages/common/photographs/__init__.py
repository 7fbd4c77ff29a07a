"""Reading of photographs and scans: the objects on a picture, scaled and placed as in MNIST."""
