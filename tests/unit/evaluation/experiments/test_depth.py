from defocus_core.evaluation.experiments import depth


def test_a_true_map_gives_true_distances_and_an_estimated_one_is_worse(small_motorcycle, setup, monkeypatch):
    monkeypatch.setattr(depth, "load_motorcycle", lambda: small_motorcycle)
    table, panels = depth.run(setup, focal_length=50.0, f_number=4.0)
    assert table.focus.tolist() == [focus for focus in ("near", "middle", "far") for _ in range(3)]
    errors = table.set_index(["focus", "distances"]).mae_dioptres.unstack()
    assert (errors["true map"] < 1e-3).all()
    assert (errors["estimated map"] > errors["true map"]).all()
    assert (table[table.distances == "true map"].within_quarter == 1).all()
    assert len(panels) == 3 * depth.COLUMNS
    assert all(values.shape[:2] == small_motorcycle.disparity.shape for _, values in panels)
