import numpy as np
import pytest

from defocus_core.cli import inputs, outputs
from defocus_core.cli.parser import main
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


def test_one_result_goes_to_a_file_and_several_to_a_folder(tmp_path, pictures):
    def targets(items, out):
        return outputs.output_targets(items, out, lambda item: item.name, items)

    assert targets(pictures[:1], tmp_path / "new/x.png") == {pictures[0]: tmp_path / "new/x.png"}
    assert targets(pictures[:2], tmp_path / "out") == {path: tmp_path / "out" / path.name for path in pictures[:2]}
    assert targets(pictures[:2], tmp_path / "2026.11.29")[pictures[0]].parent == tmp_path / "2026.11.29"
    with pytest.raises(inputs.UsageError, match="2 results do not fit into one file"):
        targets(pictures[:2], tmp_path / "x.png")
    with pytest.raises(inputs.UsageError, match="would share"):
        targets(pictures, tmp_path / "out")
    with pytest.raises(inputs.UsageError, match="would be written over an input"):
        targets(pictures[:1], tmp_path / "one")


def test_the_same_file_by_another_name_is_not_written_over(tmp_path, pictures):
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with pytest.raises(inputs.UsageError, match="change --labels"):
        outputs.refuse_overwriting(pictures, [tmp_path / "link/a.png"], option="--labels")
    outputs.refuse_overwriting(pictures, [tmp_path / "link/c.png"])


def test_maps_leave_room_for_the_files_beside_them(tmp_path, pictures):
    found = outputs.map_targets(pictures[1:2], tmp_path / "maps", [".png"], given=[])
    assert found == {pictures[1]: tmp_path / "maps/b.npy"}
    (tmp_path / "one/b.png").touch()
    with pytest.raises(inputs.UsageError, match=r"b\.png is there already, beside"):
        outputs.map_targets(pictures[1:2], tmp_path / "one", [".png"], given=[])


def test_maps_do_not_go_into_the_folder_they_are_made_of(tmp_path, pictures):
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with pytest.raises(inputs.UsageError, match="link holds the photographs, and pictures of maps would count as such"):
        outputs.map_targets(pictures[:2], tmp_path / "link", [".png"], given=[tmp_path / "one"])


def test_a_link_to_an_input_is_refused_and_a_circle_of_links_is_no_input(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    outputs.refuse_overwriting([tmp_path / "a.png"], [tmp_path / "circle.png"])
    with pytest.raises(inputs.UsageError, match="would be written over an input"):
        outputs.refuse_overwriting([tmp_path / "a.png"], [tmp_path / "link.png"])
