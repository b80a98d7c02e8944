"""Constants that several subpackages share."""

PATCH_SIZE = 32  # pixels: side of the patches that classifiers answer for
DEFAULT_MODEL = "scenenet"  # in the package
