"""The sections of the workflow's configuration: a typed model each."""
