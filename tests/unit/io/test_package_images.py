import importlib.metadata

import pytest

from defocus_core.io.listing import list_images
from defocus_core.io.package_images import PACKAGES, package_folder, package_version


@pytest.mark.parametrize(("name", "photograph"), [("skimage", "astronaut.png"), ("sklearn", "china.jpg")])
def test_packages_carry_photographs(name, photograph):
    assert photograph in {path.name for path in list_images(package_folder(name))}


def test_the_version_is_that_of_the_installed_distribution():
    assert set(PACKAGES) == {"skimage", "sklearn"}
    assert package_version("skimage") == importlib.metadata.version("scikit-image")
    assert package_version("sklearn") == importlib.metadata.version("scikit-learn")


def test_another_package_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="no package 'numpy' with photographs; known: skimage, sklearn"):
        package_folder("numpy")
