from pathlib import Path

import pytest
import tables

DOCUMENT = """
Text with .123 in it.

<!-- one.csv where part == 'a' by method: share, loss * 10 / gain -->
<!-- two.csv by method: share -->
| method | share | loss / gain | share |
|---|---|---|---|
| **`map`**, the 1st | **.12** | 0.5 / 2.00 | .1 |
| mean | .50 | 1.0 / 3.00 | .2 |
| published | .99 | | |

| method | share |
|---|---|
| mean | .50 |
"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "one.csv").write_text(
        "method,part,share,loss,gain\nmap,b,1,1,1\nmap,a,0.876,0.012,-0.5\nmean,a,1.0,1.26,3\n"
    )
    return tmp_path


def test_numbers_come_from_their_files_and_keep_their_form(results):
    filled = tables.filled(DOCUMENT, results)
    assert "Text with .123 in it." in filled
    assert "| **`map`**, the 1st | **.88** | 0.1 / -.50 | .1 |" in filled
    assert "| mean | 1.00 | 12.6 / 3.00 | .2 |" in filled
    assert "| published | .99 | | |" in filled
    (results / "two.csv").write_text("method,share\nmap,0.36\nmean,\n")
    filled = tables.filled(DOCUMENT, results)
    assert "0.1 / -.50 | .4 |" in filled
    assert "12.6 / 3.00 | .2 |" in filled
    with pytest.raises(ValueError, match=r"'\.99 of 100' has more numbers"):
        tables.filled(DOCUMENT.replace("| .50 | 1.0", "| .99 of 100 | 1.0"), results)


def test_a_table_without_a_source_stays(results):
    assert tables.filled(DOCUMENT, results).endswith("| method | share |\n|---|---|\n| mean | .50 |\n")


def test_every_source_in_the_results_has_its_form(tmp_path):
    text = (Path(__file__).parents[3] / "docs/results.md").read_text()
    assert tables.filled(text, tmp_path) == text
    comments = [line for line in text.splitlines() if line.startswith("<!--")]
    assert len(comments) >= 10
    assert [line for line in comments if not tables.SOURCE.fullmatch(line)] == []
