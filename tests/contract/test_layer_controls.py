"""`controls` and `given` beside layers, over a server and in-process alike, stored and as arrays."""

import numpy as np
import pytest

import consilience

N = 72


def model(draw, latent, shares):
    """Layers of growing width that share the latent more or less."""
    return [
        np.float32(share * latent @ draw.normal(size=(latent.shape[1], 6 + at)) + draw.normal(size=(N, 6 + at)))
        for at, share in enumerate(shares)
    ]


@pytest.fixture
def models(client, name):
    """Two models that share a latent, one with random weights that sees a little of it, and the latent itself."""
    draw = np.random.default_rng(4)
    latent = draw.normal(size=(N, 3))
    made = {"a": model(draw, latent, (0.2, 1.5)), "b": model(draw, latent, (1.5, 0.3)), "untrained": model(draw, latent, (0.4, 0.2, 0.0))}
    for group, layers in made.items():
        for at, vectors in enumerate(layers):
            space = f"{name}-{group}-{at}"
            client.create_space(space, dim=vectors.shape[1], group=f"{name}-{group}", layer=str(at))
            client.upsert(space, [f"i{row:02d}" for row in range(N)], vectors)
    client.create_space(f"{name}-latent", dim=3)
    client.upsert(f"{name}-latent", [f"i{row:02d}" for row in range(N)], latent)
    return made, np.float32(latent)


@pytest.mark.parametrize("selection", ["split_half", "max"])
def test_a_control_with_layers_has_the_same_choice(client, name, models, selection):
    asked = {"k": [5, 8], "permutations": 99, "layer_selection": selection}
    a, b, untrained = (f"groups/{name}-{group}" for group in ("a", "b", "untrained"))
    report = client.align(a, b, controls={untrained: "x", f"{name}-latent": "y"}, **asked)
    plain, alone = client.align(a, b, **asked), client.align(untrained, b, **asked)
    assert report.by_k == plain.by_k
    control = report.controls[untrained]
    assert (control.by_k, control.best_layers, control.maximum) == (alone.by_k, alone.best_layers, alone.maximum)
    np.testing.assert_array_equal(control.layer_scores, alone.layer_scores)
    assert control.layer_scores.shape == (3, 2)
    assert (control.layer_selection, control.selection_n, len(control.x_layers)) == (selection, plain.selection_n, 3)
    for k in (5, 8):
        assert control.differences[k].value == pytest.approx(report.by_k[k].score - control.by_k[k].score)
        assert (control.differences[k].interval is None) == (selection == "max")
    told = next(line for line in repr(report).splitlines() if line.startswith(f"control {untrained} for x"))
    assert f"layers {control.best_layers[0]} and {control.best_layers[1]}" in told
    assert ("max of 6" in told) == (selection == "max")
    assert untrained in report.cite()
    assert report.to_dict()["controls"][untrained]["layer_scores"] == control.layer_scores.tolist()


def test_arrays_with_layers_have_controls_and_a_given_array(client, name, models):
    made, latent = models
    asked = {"k": 5, "metric": "cka", "permutations": 99, "given": latent}
    controls = {"untrained": made["untrained"], "latent": (latent[:, :2] ** 2, "y")}
    served, local = (caller(made["a"], made["b"], controls=controls, **asked) for caller in (client.align_arrays, consilience.align_arrays))
    assert served.by_k == local.by_k
    assert served.controls["untrained"].by_k == local.controls["untrained"].by_k
    assert served.controls["untrained"].layer_scores.shape == (3, 2)
    assert served.controls["latent"].layer_scores.shape == (2, 1)
    stored = client.align(f"groups/{name}-a", f"groups/{name}-b", k=5, metric="cka", permutations=99, given=f"{name}-latent")
    assert (served.given.rank, served.layers_n) == (3, N - 4)
    assert [*served.given.layers_explained[0]] == pytest.approx([*stored.given.layers_explained[0]])
    assert served.given.explained_y == pytest.approx(stored.given.layers_explained[1][served.best_layers[1]])
    rho = np.random.default_rng(0).permutation(N)
    moved = client.align_arrays(
        [layer[rho] for layer in made["a"]],
        [layer[rho] for layer in made["b"]],
        controls={"untrained": [layer[rho] for layer in made["untrained"]], "latent": (latent[rho, :2] ** 2, "y")},
        **{**asked, "given": latent[rho]},
    )
    assert moved.score == pytest.approx(served.score, rel=1e-6)
    assert moved.controls["untrained"].score == pytest.approx(served.controls["untrained"].score, rel=1e-6)
    assert moved.controls["latent"].p_value == served.controls["latent"].p_value


def test_what_the_latent_explains_is_no_alignment_of_any_layer(client, name, models):
    a, b = f"groups/{name}-a", f"groups/{name}-b"
    plain = client.align(a, b, k=5, metric="unbiased_cka", permutations=199)
    partial = client.align(a, b, k=5, metric="unbiased_cka", permutations=199, given=f"{name}-latent")
    assert plain.maximum.p_value <= 0.01
    assert partial.maximum.excess < 0.3 * plain.maximum.excess
    assert partial.maximum.p_value > 0.05
    assert f"beyond {name}-latent" in repr(partial)


def test_layers_of_a_control_that_do_not_fit_are_refused(client, models):
    made, latent = models
    for control, told in (
        ([latent, latent[:9]], "9 rows"),
        ([latent, np.zeros_like(latent)], r"layer 1 of bad: .*zero"),
        ([latent, np.ones_like(latent)], "layer 1 of bad has the same vector"),
        (np.zeros((N, 0, 3)), "no layers"),
    ):
        with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
            client.align_arrays(made["a"], made["b"], k=5, controls={"bad": control})
        assert "controls" in refused.value.field


def test_what_cannot_stand_beside_groups_is_refused(client, name, models):
    a, b = f"groups/{name}-a", f"groups/{name}-b"
    for asked, error, told in (
        ({"controls": [a]}, consilience.InvalidArgumentError, "is a side of this alignment"),
        ({"controls": [f"{name}-a-0"]}, consilience.InvalidArgumentError, "is a layer of this alignment"),
        ({"controls": [f"groups/{name}-nobody"]}, consilience.NotFoundError, "no space belongs to the group"),
        ({"given": f"{name}-latent", "within": "label"}, consilience.UnimplementedError, "beyond a given space"),
        ({"given": f"{name}-b-1"}, consilience.InvalidArgumentError, "is a layer of this alignment"),
        ({"given": f"groups/{name}-untrained"}, consilience.InvalidArgumentError, "group"),
    ):
        with pytest.raises(error, match=told) as refused:
            client.align(a, b, k=5, **asked)
        assert refused.value.field.startswith("controls" if "controls" in asked else ("within", "given"))


def test_a_single_pair_beside_a_control_with_layers_was_not_chosen(client, name, models):
    asked = {"k": 5, "permutations": 19, "controls": [f"groups/{name}-untrained"]}
    report = client.align(f"{name}-a-1", f"{name}-b-0", **asked)
    assert (report.n, report.selection_n) == (N // 2, N // 2)
    assert "chosen of" not in repr(report)
    assert "a control has layers, which it chooses on 36 items; all is scored on the other 36" in " ".join(report.warnings)
    whole = client.align(f"{name}-a-1", f"{name}-b-0", **asked, layer_selection="max")
    assert whole.n == N
    assert "which it chooses" not in " ".join(whole.warnings)


def test_maxima_of_other_numbers_of_pairs_are_told_apart(client, name, models):
    a, b, untrained, latent = f"groups/{name}-a", f"groups/{name}-b", f"groups/{name}-untrained", f"{name}-latent"
    asked = {"k": 5, "permutations": 19, "controls": [untrained, latent]}
    told = [line for line in client.align(a, b, **asked, layer_selection="max").warnings if "by chance; compare under" in line]
    assert len(told) == 2
    assert told[0].startswith(f"the alignment is a maximum of 4 pairs, control {untrained} a maximum of 6 pairs: more pairs score higher")
    assert f"control {latent} a maximum of 2 pairs" in told[1]
    assert not any("compare under" in line for line in client.align(a, b, **asked).warnings)
