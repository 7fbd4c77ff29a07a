"""Options, data, checkpoint and DVCLive log of the stage `train`."""
