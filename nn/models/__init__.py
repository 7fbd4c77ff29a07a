"""Trained models: what is made of networks, and how they are kept.

- `ensemble`                an average of several networks
- `test_time_augmentation`  an average over augmented copies of an image
- `serialization`           networks as `.npz` files
- `estimator`               the network as a scikit-learn classifier
- `samples`                 weights and a validation part of its samples
"""
