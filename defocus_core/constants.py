"""Constants that several subpackages share."""

PATCH_SIZE = 32  # pixels: side of the patches that classifiers answer for
DEFAULT_MODEL = "scenenet"  # in the package
PASSIVE_THREADS = {  # environment that torch reads as it is loaded: on a busy machine, threads that spin for one
    "OMP_WAIT_POLICY": "PASSIVE",  # another take eight times the time of the work
    "GOMP_SPINCOUNT": "1000",
}
