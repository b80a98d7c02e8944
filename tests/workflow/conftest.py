import pytest
from checkout import Checkout
from filelock import FileLock


@pytest.fixture(scope="session")
def ran(tmp_path_factory, worker_id):
    """A checkout in which the smoke workflow has run once; each worker of the tests has its own copy."""
    if worker_id == "master":
        checkout = Checkout.fresh(tmp_path_factory.mktemp("checkout"))
        checkout.snakemake()
        return checkout
    shared = tmp_path_factory.getbasetemp().parent / "ran"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            checkout = Checkout.fresh(tmp_path_factory.mktemp("checkout"))
            checkout.snakemake()
            checkout.folder.rename(shared)
    return Checkout(shared).copy(tmp_path_factory.mktemp("copy"))
