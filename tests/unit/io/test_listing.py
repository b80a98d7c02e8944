import pytest

from defocus_core.io.listing import list_images


def test_a_folder_is_listed_by_the_numbers_in_its_names(tmp_path):
    for name in ("shot10.png", "shot2.png", "shot1.png", "2.png", "a.PNG", "shot02.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "._shot1.png").touch()  # as macOS leaves beside a photograph
    found = [path.name for path in list_images(tmp_path)]
    assert found == ["2.png", "a.PNG", "shot1.png", "shot02.png", "shot2.png", "shot10.png"]


def test_subfolders_and_other_files_are_passed_over_and_a_missing_folder_is_named(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for name in ("a.TIF", "b.jpeg", "c.npy", "d"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(str(tmp_path))] == ["a.TIF", "b.jpeg"]
    assert list_images(tmp_path / "folder.png") == []
    with pytest.raises(FileNotFoundError, match=r"no folder '.*none'"):
        list_images(tmp_path / "none")
