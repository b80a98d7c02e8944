import numpy as np
import pytest
import tifffile

from defocus_core.cli import inputs, outputs
from defocus_core.io.errors import ImageError
from defocus_core.io.read import read


def test_folders_stand_for_their_pictures_and_none_is_given_twice(tmp_path, pictures):
    assert inputs.expand_paths([tmp_path / "one", pictures[2]]) == pictures
    with pytest.raises(inputs.UsageError, match=r"a\.png is given twice"):
        inputs.expand_paths([tmp_path / "one", pictures[0]])
    with pytest.raises(inputs.UsageError, match=r"no images in .*; known: \.png"):
        inputs.expand_paths([tmp_path])


def test_channels_are_not_fused_with_each_other_where_one_lacks_slices(tmp_path):
    planes = np.zeros((3, 20, 30), np.uint8)
    data = "".join(
        f'<TiffData IFD="{i}" FirstZ="{z}" FirstC="{c}"/>' for i, (z, c) in enumerate([(0, 0), (1, 0), (0, 1)])
    )
    xml = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
    xml += 'DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20" SizeC="2" SizeZ="2" SizeT="1">'
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, planes, description=f"{xml}{data}</Pixels></Image></OME>", metadata=None, photometric="minisblack"
    )
    with pytest.raises(inputs.UsageError, match=r"one slice alone; choose another by --channel"):
        inputs.group_stacks([path])
    assert [len(slices) for slices in inputs.group_stacks([path], channel=1).values()] == [2]


@pytest.fixture
def slices(tmp_path):
    """A folder of a file for each of three slices, of two channels each; the pixels number them."""
    folder = tmp_path / "cells"
    folder.mkdir()
    for z in range(3):
        pixels = np.stack([np.full((20, 30), 10 * channel + z, np.uint8) for channel in (1, 2)])
        tifffile.imwrite(folder / f"z{z}.tif", pixels, imagej=True, metadata={"axes": "CYX"})
    return folder


def test_channels_of_files_of_a_slice_each_are_stacks_of_their_own(slices):
    files = sorted(slices.iterdir())
    for paths, name in (([slices], "cells"), (files, "z0")):
        found = inputs.group_stacks(paths)
        values = [[int(read(shot)[0, 0]) for shot in shots] for shots in found.values()]
        assert values == [[10, 11, 12], [20, 21, 22]]
        targets = outputs.fusion_targets(found, slices.parent / "out", [])
        assert [path.name for path in targets.values()] == [f"{name}.c1.tif", f"{name}.c2.tif"]
        (chosen,) = inputs.group_stacks(paths, channel=2).values()
        assert [int(read(shot)[0, 0]) for shot in chosen] == [20, 21, 22]
        (target,) = outputs.fusion_targets(inputs.group_stacks(paths, channel=2), slices.parent / "out", []).values()
        assert target.name == f"{name}.c2.tif"


def test_channels_of_one_slice_are_no_stack(slices):
    with pytest.raises(inputs.UsageError, match=r"z0\.tif: 2 channels of one slice each; a stack is of two slices"):
        inputs.group_stacks([slices / "z0.tif"])
    with pytest.raises(ImageError, match="no z 2; it has 1 to 1"):
        inputs.group_stacks([slices], z=2)


def test_a_chosen_channel_has_a_name_of_its_own(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 2, 20, 30), np.uint8), imagej=True, metadata={"axes": "ZCYX"})
    for channel in (1, 2):
        found = inputs.group_stacks([tmp_path / "a.tif"], channel=channel)
        assert list(outputs.fusion_targets(found, tmp_path / "o", []).values()) == [tmp_path / f"o/a.c{channel}.tif"]


def test_times_without_slices_are_a_stack_and_a_page_without_axes_is_chosen_by_its_place(tmp_path):
    tifffile.imwrite(tmp_path / "t.tif", np.zeros((3, 2, 20, 30), np.uint8), imagej=True, metadata={"axes": "TCYX"})
    assert [len(shots) for shots in inputs.group_stacks([tmp_path / "t.tif"]).values()] == [3, 3]
    pages = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "p.tif", pages, photometric="minisblack")
    assert [item.stem for item in inputs.expand_paths([tmp_path / "p.tif"], z=3)] == ["p.z3"]
    ((shot,),) = inputs.group_stacks([tmp_path / "p.tif"], z=3).values()
    assert read(shot).max() == 2
    assert inputs.expand_paths([tmp_path / "p.tif"], channel=1) == [tmp_path / "p.tif"]
