import numpy as np

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
