import pandas as pd

from defocus_core.evaluation.tables import write_table


def test_a_table_is_whole_as_csv_and_rounded_as_markdown(tmp_path):
    table = pd.DataFrame({"method": ["one", "two"], "psnr": [1 / 3, 200.0]}, index=[5, 7])
    write_table(table, tmp_path / "t.csv", tmp_path / "t.md")
    assert (tmp_path / "t.csv").read_text() == "method,psnr\none,0.3333333333333333\ntwo,200.0\n"
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert [line.split() for line in lines[2:]] == [
        ["|", "one", "|", "0.3333", "|"],
        ["|", "two", "|", "200.0000", "|"],
    ]
    write_table(table, tmp_path / "t.csv", tmp_path / "t.md", number_format=".2g")
    assert "|  0.33  |" in (tmp_path / "t.md").read_text()


def test_rows_keep_their_order_and_missing_numbers_are_left_empty(tmp_path):
    table = pd.DataFrame({"image": ["b", "a"], "map_score": [0.25, None]})
    write_table(table, tmp_path / "new/t.csv", tmp_path / "new/t.md", number_format=".1f")
    assert (tmp_path / "new/t.csv").read_text() == "image,map_score\nb,0.25\na,\n"
    rows = [line.split() for line in (tmp_path / "new/t.md").read_text().splitlines()]
    assert rows[0] == ["|", "image", "|", "map_score", "|"]
    assert rows[2] == ["|", "b", "|", "0.2", "|"]
    assert rows[3][1] == "a"
