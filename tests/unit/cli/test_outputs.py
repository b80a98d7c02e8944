import numpy as np
import pytest
import tifffile

from defocus_core.cli import outputs
from defocus_core.cli.parser import main
from defocus_core.io.errors import ImageError
from defocus_core.io.read import read
from defocus_core.io.write import write


def test_each_stack_of_a_folder_keeps_its_own_format(folder):
    deep = np.random.default_rng(0).integers(0, 2**16, (40, 50, 3), dtype=np.uint16)
    for name in "ab":
        write(folder / f"light/{name}.jpg", read(folder / f"in/{name}.png"))
        write(folder / f"deep/{name}.png", deep)
    stacks = [str(folder / stack) for stack in ("light", "deep")]
    assert main(["fuse", *stacks, "--out", str(folder / "out")]) == 0
    assert {path.name for path in (folder / "out").iterdir()} == {"light.jpg", "deep.png"}


def test_results_of_two_photographs_may_not_meet(folder, capsys):
    (folder / "in/b.png").rename(folder / "in/a.probability.png")
    arguments = ["map", str(folder / "in"), "--out", str(folder / "out")]
    assert main([*arguments, "--probability"]) == 2
    assert "would share" in capsys.readouterr().err
    assert main([*arguments, "--no-refine"]) == 0


def test_folders_of_one_name_would_share_an_output(folder, capsys):
    for stack in ("x/2024.05.01", "y/2024.05.01", "y/2024.05.02"):
        for name in "ab":
            write(folder / stack / f"{name}.png", read(folder / f"in/{name}.png"))
    x, y, z = (str(folder / stack) for stack in ("x/2024.05.01", "y/2024.05.01", "y/2024.05.02"))
    assert main(["fuse", x, y, "--out", str(folder / "out")]) == 2
    assert "would share" in capsys.readouterr().err
    assert main(["fuse", y, z, "--out", str(folder / "out")]) == 0
    assert {path.name for path in (folder / "out").iterdir()} == {"2024.05.01.png", "2024.05.02.png"}


def test_pictures_that_differ_in_format_alone_are_enhanced_each_but_not_mapped_into_one_file(folder, capsys):
    write(folder / "in/a.tif", read(folder / "in/a.png"))
    assert main(["enhance", str(folder / "in"), "--out", str(folder / "out")]) == 0
    assert {path.name for path in (folder / "out").iterdir()} == {"a.png", "a.tif", "b.png"}
    assert main(["map", str(folder / "in"), "--out", str(folder / "maps")]) == 2
    assert "would share" in capsys.readouterr().err


@pytest.fixture
def pictures(tmp_path):
    """Files of three pictures, in two folders."""
    paths = [tmp_path / name for name in ("one/a.png", "one/b.tif", "two/a.png")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return paths


def test_folders_stand_for_their_pictures_and_none_is_given_twice(tmp_path, pictures):
    assert outputs.expand_paths([tmp_path / "one", pictures[2]]) == pictures
    with pytest.raises(outputs.UsageError, match=r"a\.png is given twice"):
        outputs.expand_paths([tmp_path / "one", pictures[0]])
    with pytest.raises(outputs.UsageError, match=r"no images in .*; known: \.png"):
        outputs.expand_paths([tmp_path])


def test_one_result_goes_to_a_file_and_several_to_a_folder(tmp_path, pictures):
    def targets(items, out):
        return outputs.output_targets(items, out, lambda item: item.name, items)

    assert targets(pictures[:1], tmp_path / "new/x.png") == {pictures[0]: tmp_path / "new/x.png"}
    assert targets(pictures[:2], tmp_path / "out") == {path: tmp_path / "out" / path.name for path in pictures[:2]}
    assert targets(pictures[:2], tmp_path / "2026.11.29")[pictures[0]].parent == tmp_path / "2026.11.29"
    with pytest.raises(outputs.UsageError, match="2 results do not fit into one file"):
        targets(pictures[:2], tmp_path / "x.png")
    with pytest.raises(outputs.UsageError, match="would share"):
        targets(pictures, tmp_path / "out")
    with pytest.raises(outputs.UsageError, match="would be written over an input"):
        targets(pictures[:1], tmp_path / "one")


def test_the_same_file_by_another_name_is_not_written_over(tmp_path, pictures):
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with pytest.raises(outputs.UsageError, match="change --labels"):
        outputs.refuse_overwriting(pictures, [tmp_path / "link/a.png"], option="--labels")
    outputs.refuse_overwriting(pictures, [tmp_path / "link/c.png"])


def test_maps_leave_room_for_the_files_beside_them(tmp_path, pictures):
    found = outputs.map_targets(pictures[1:2], tmp_path / "maps", [".png"], given=[])
    assert found == {pictures[1]: tmp_path / "maps/b.npy"}
    (tmp_path / "one/b.png").touch()
    with pytest.raises(outputs.UsageError, match=r"b\.png is there already, beside"):
        outputs.map_targets(pictures[1:2], tmp_path / "one", [".png"], given=[])


def test_maps_do_not_go_into_the_folder_they_are_made_of(tmp_path, pictures):
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with pytest.raises(
        outputs.UsageError, match="link holds the photographs, and pictures of maps would count as such"
    ):
        outputs.map_targets(pictures[:2], tmp_path / "link", [".png"], given=[tmp_path / "one"])


def test_a_link_to_an_input_is_refused_and_a_circle_of_links_is_no_input(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    outputs.refuse_overwriting([tmp_path / "a.png"], [tmp_path / "circle.png"])
    with pytest.raises(outputs.UsageError, match="would be written over an input"):
        outputs.refuse_overwriting([tmp_path / "a.png"], [tmp_path / "link.png"])


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
    with pytest.raises(outputs.UsageError, match=r"one slice alone; choose another by --channel"):
        outputs.group_stacks([path])
    assert [len(slices) for slices in outputs.group_stacks([path], channel=1).values()] == [2]


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
        found = outputs.group_stacks(paths)
        values = [[int(read(shot)[0, 0]) for shot in shots] for shots in found.values()]
        assert values == [[10, 11, 12], [20, 21, 22]]
        targets = outputs.fusion_targets(found, slices.parent / "out", [])
        assert [path.name for path in targets.values()] == [f"{name}.c1.tif", f"{name}.c2.tif"]
        (chosen,) = outputs.group_stacks(paths, channel=2).values()
        assert [int(read(shot)[0, 0]) for shot in chosen] == [20, 21, 22]


def test_channels_of_one_slice_are_no_stack(slices):
    with pytest.raises(outputs.UsageError, match=r"z0\.tif: 2 channels of one slice each; a stack is of two slices"):
        outputs.group_stacks([slices / "z0.tif"])
    with pytest.raises(ImageError, match="no z 2; it has 1 to 1"):
        outputs.group_stacks([slices], z=2)


def test_a_chosen_channel_has_a_name_of_its_own(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 2, 20, 30), np.uint8), imagej=True, metadata={"axes": "ZCYX"})
    for channel in (1, 2):
        found = outputs.group_stacks([tmp_path / "a.tif"], channel=channel)
        assert list(outputs.fusion_targets(found, tmp_path / "o", []).values()) == [tmp_path / f"o/a.c{channel}.tif"]


def test_times_without_slices_are_a_stack_and_a_page_without_axes_is_chosen_by_its_place(tmp_path):
    tifffile.imwrite(tmp_path / "t.tif", np.zeros((3, 2, 20, 30), np.uint8), imagej=True, metadata={"axes": "TCYX"})
    assert [len(shots) for shots in outputs.group_stacks([tmp_path / "t.tif"]).values()] == [3, 3]
    pages = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "p.tif", pages, photometric="minisblack")
    assert [item.stem for item in outputs.expand_paths([tmp_path / "p.tif"], z=3)] == ["p.z3"]
    ((shot,),) = outputs.group_stacks([tmp_path / "p.tif"], z=3).values()
    assert read(shot).max() == 2
    assert outputs.expand_paths([tmp_path / "p.tif"], channel=1) == [tmp_path / "p.tif"]
