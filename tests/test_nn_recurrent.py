"""Recurrent layers and cells: errors, and what the parity cases do not try. Packed sequences: errors."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad import nn

rnn = nn.utils.rnn
KINDS = ("RNN", "LSTM", "GRU")


def layer(kind, *args, **options):
    return getattr(nn, kind)(*args, **options, rng=xg.random.Generator(0))


def numbers(*shape, seed=0):
    return xg.asarray(np.random.default_rng(seed).normal(size=shape))


# --- values -----------------------------------------------------------------------------------------------


def test_starting_values_are_within_the_bound_and_the_same_for_a_seed(backend):
    first, second = (layer("LSTM", 3, 16, num_layers=2, proj_size=2) for _ in range(2))
    for (name, p), q in zip(first.named_parameters(), second.parameters(), strict=True):
        values = to_numpy(p)
        assert np.abs(values).max() <= 0.25, name
        assert values.std() > 0.05, name
        np.testing.assert_array_equal(values, to_numpy(q))


def test_reset_parameters_draws_anew():
    cell = layer("GRUCell", 3, 4)
    before = to_numpy(cell.weight_ih).copy()
    cell.reset_parameters()
    assert not np.array_equal(before, to_numpy(cell.weight_ih))
    assert np.abs(to_numpy(cell.weight_ih)).max() <= 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(backend, kind):
    module = layer(kind, 2, 3, dtype="float32")
    x = xg.astype(numbers(4, 2, 2), module.weight_ih_l0.dtype)
    y, _ = module(x)
    xg.sum(y).backward()
    assert y.dtype == module.weight_ih_l0.grad.dtype == x.dtype


@pytest.mark.parametrize("kind", KINDS)
def test_vmap_is_a_loop_over_the_examples(backend, kind):
    module, x = layer(kind, 2, 3, bidirectional=True), numbers(4, 5, 2)
    got = xg.vmap(lambda x: module(x)[0])(x)
    for i in range(4):
        assert_close(to_numpy(got[i]), to_numpy(module(x[i])[0]), 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_each_example(backend, kind):
    module, x = layer(kind, 2, 3), numbers(3, 5, 2)
    weight = module.weight_hh_l0.detach()

    def loss(w, x):
        h, c = xg.zeros((1, 3)), xg.zeros((1, 3)) if kind == "LSTM" else None
        y, _ = xg.recurrent(x[:, None, :], h, c, module.weight_ih_l0, w, mode={"RNN": "RNN_TANH"}.get(kind, kind))
        return xg.sum(y**2)

    got = xg.vmap(xg.grad(loss), in_axes=(None, 0))(weight, x)
    for i in range(3):
        assert_close(to_numpy(got[i]), to_numpy(xg.grad(loss)(weight, x[i])), 1e-12)


def test_a_checkpoint_gives_the_same_gradients(backend):
    module, x = layer("LSTM", 2, 3), numbers(4, 2, 2)
    grads = []
    for run in (module, xg.checkpoint(lambda x: module(x)[0])):
        module.zero_grad()
        y = run(x)
        xg.sum((y[0] if isinstance(y, tuple) else y) ** 2).backward()
        grads.append(to_numpy(module.weight_hh_l0.grad))
    assert_close(grads[1], grads[0], 1e-12)


def test_a_sequence_in_two_halves_is_the_sequence(backend):
    module, x = layer("LSTM", 2, 3, num_layers=2), numbers(6, 2, 2)
    whole, (h, c) = module(x)
    first, state = module(x[:3])
    second, (h2, c2) = module(x[3:], state)
    for got, want in ((xg.concat([first, second]), whole), (h2, h), (c2, c)):
        assert_close(to_numpy(got), to_numpy(want), 1e-12)


def test_a_layer_is_its_cell_step_by_step(backend):
    module, cell, x = layer("LSTM", 2, 3), layer("LSTMCell", 2, 3), numbers(4, 2, 2)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in module.state_dict().items()})
    state = None
    for t, want in enumerate(to_numpy(module(x)[0])):
        state = cell(x[t], state)
        assert_close(to_numpy(state[0]), want, 1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_of_many_steps_are_those_of_the_cell(backend, reverse):
    module, cell, x = layer("LSTM", 2, 3, bidirectional=True), layer("LSTMCell", 2, 3), numbers(23, 2, 2)
    suffix = "_l0_reverse" if reverse else "_l0"
    cell.load_state_dict({name: getattr(module, name + suffix) for name in cell.state_dict()})
    inputs = [xg.asarray(x, copy=True, requires_grad=True) for _ in range(2)]
    states = module(inputs[0])[0][..., 3 * reverse : 3 * reverse + 3]
    xg.sum(xg.sin(states)).backward()
    state, total = None, xg.asarray(0.0)
    for t in range(23)[:: -1 if reverse else 1]:
        state = cell(inputs[1][t], state)
        total = total + xg.sum(xg.sin(state[0]))
    total.backward()
    assert_close(to_numpy(inputs[0].grad), to_numpy(inputs[1].grad), 1e-12)
    for name, p in cell.named_parameters():
        assert_close(to_numpy(getattr(module, name + suffix).grad), to_numpy(p.grad), 1e-12, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(3, 0, 2), (3, 2, 0)], ids=["no example", "no feature"])
def test_empty_inputs(backend, kind, sizes):
    steps, n, width = sizes
    module = layer(kind, width, 4, bidirectional=True)
    x = xg.asarray(xg.zeros((steps, n, width)), copy=True, requires_grad=True)
    y, _ = module(x)
    xg.sum(y).backward()
    assert y.shape == (steps, n, 8)
    assert x.grad.shape == x.shape
    assert np.isfinite(to_numpy(module.weight_hh_l0.grad)).all()


def test_extreme_inputs_give_no_nan_and_no_warning(backend):
    for kind in KINDS:
        module, x = layer(kind, 2, 3), 1e4 * numbers(4, 2, 2)
        leaf = xg.asarray(x, copy=True, requires_grad=True)
        y, _ = module(leaf)
        xg.sum(y).backward()
        assert np.isfinite(to_numpy(y)).all()
        assert np.isfinite(to_numpy(leaf.grad)).all()


# --- dropout ----------------------------------------------------------------------------------------------


def test_dropout_is_between_layers_and_in_training_only(backend):
    module, x = layer("GRU", 2, 3, num_layers=2, dropout=0.5), numbers(4, 2, 2)
    first, second = to_numpy(module(x)[1]), to_numpy(module(x)[1])
    np.testing.assert_array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])
    module.eval()
    np.testing.assert_array_equal(to_numpy(module(x)[0]), to_numpy(module(x)[0]))


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="RNN: dropout=0.5 is between layers, and there is one"):
        nn.RNN(2, 3, dropout=0.5)


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("RNN", {"input_size": -1}, "RNN: input_size must be an integer, 0 or more, got -1"),
        ("GRU", {"hidden_size": 0}, "GRU: hidden_size must be an integer, 1 or more, got 0"),
        ("LSTM", {"num_layers": 0}, "LSTM: num_layers must be an integer, 1 or more, got 0"),
        ("LSTM", {"proj_size": 3}, "LSTM: proj_size must be less than hidden_size 3, got 3"),
        ("GRU", {"dropout": 1.5}, "GRU: dropout must be a number from 0 to 1, got 1.5"),
        ("RNN", {"nonlinearity": "sin"}, 'RNN: nonlinearity must be "tanh" or "relu", got \'sin\''),
        ("RNNCell", {"nonlinearity": "sin"}, 'RNNCell: nonlinearity must be "tanh" or "relu"'),
        ("LSTMCell", {"hidden_size": 1.5}, "LSTMCell: hidden_size must be an integer, 1 or more, got 1.5"),
    ],
)
def test_a_wrong_argument_is_an_error(kind, options, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        getattr(nn, kind)(**{"input_size": 2, "hidden_size": 3, **options})


@pytest.mark.parametrize("shape", [(4, 2, 5), (5,), (2, 4, 2, 2), (0, 2, 2)])
def test_an_input_of_a_wrong_shape_is_an_error(backend, shape):
    with pytest.raises(ValueError, match=r"LSTM\(2, 3\) takes an input of shape \(L, N, 2\) or \(L, 2\).*got"):
        layer("LSTM", 2, 3)(xg.zeros(shape))
    with pytest.raises(ValueError, match=r"GRUCell\(2, 3\) takes an input of shape \(N, 2\) or \(2,\), got"):
        layer("GRUCell", 2, 3)(xg.zeros((*shape, 7)))


def test_a_state_of_a_wrong_shape_is_an_error():
    with pytest.raises(ValueError, match=r"GRU\(2, 3\) takes an initial state h_0 of shape \(1, 5, 3\), got \(1, 3\)"):
        layer("GRU", 2, 3)(xg.zeros((4, 5, 2)), xg.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"takes an initial state c_0 of shape \(1, 3\), got \(1, 4\)"):
        layer("LSTM", 2, 3)(xg.zeros((4, 2)), (xg.zeros((1, 3)), xg.zeros((1, 4))))
    with pytest.raises(TypeError, match=r"LSTM: hx must be a pair \(h_0, c_0\), got Tensor"):
        layer("LSTM", 2, 3)(xg.zeros((4, 5, 2)), xg.zeros((1, 5, 3)))
    with pytest.raises(ValueError, match=r"RNNCell\(2, 3\) takes a state of shape \(5, 3\), got \(3,\)"):
        layer("RNNCell", 2, 3)(xg.zeros((5, 2)), xg.zeros(3))
    with pytest.raises(TypeError, match=r"LSTMCell: hx must be a pair \(h, c\)"):
        layer("LSTMCell", 2, 3)(xg.zeros((5, 2)), xg.zeros((5, 3)))


@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN_TANH"])
def test_recurrent_refuses_shapes_that_do_not_fit(mode):
    k = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1}[mode]
    good = {
        "x": (3, 2, 4), "h": (2, 5), "c": (2, 5) if mode == "LSTM" else None, "w_ih": (5 * k, 4), "w_hh": (5 * k, 5),
        "b_ih": (5 * k,), "b_hh": (5 * k,),
    }  # fmt: skip

    def call(shapes):
        return xg.recurrent(*(None if shape is None else xg.zeros(shape) for shape in shapes.values()), mode=mode)

    call(good)
    for name, shape in good.items():
        if shape is not None:
            with pytest.raises(ValueError, match="recurrent"):
                call({**good, name: (shape[0] + 1, *shape[1:])} if name != "x" else {**good, name: (0, 2, 4)})
    with pytest.raises(ValueError, match="recurrent: mode must be one of RNN_TANH, RNN_RELU, GRU, LSTM, got 'CNN'"):
        xg.recurrent(xg.zeros(3), None, None, None, None, mode="CNN")


# --- packed sequences -------------------------------------------------------------------------------------


def test_packing_checks_the_lengths():
    x = xg.zeros((4, 3, 2))
    for lengths in ([4, 3], [4, 3, 0], [5, 3, 1]):
        with pytest.raises(ValueError, match="lengths must be 3 integers from 1 to 4"):
            rnn.pack_padded_sequence(x, lengths)
    with pytest.raises(ValueError, match=r"lengths must decrease.*enforce_sorted=False"):
        rnn.pack_padded_sequence(x, [1, 3, 4])
    with pytest.raises(ValueError, match=r"takes an input of shape \(L, N, ...\)"):
        rnn.pack_padded_sequence(xg.zeros(3), [1, 1, 1])


def test_padding_checks_its_arguments():
    packed = rnn.pack_sequence([xg.zeros((3, 2)), xg.zeros((1, 2))])
    with pytest.raises(ValueError, match="total_length must be 3 or more, got 2"):
        rnn.pad_packed_sequence(packed, total_length=2)
    with pytest.raises(TypeError, match="expected a PackedSequence, got Tensor"):
        rnn.pad_packed_sequence(packed.data)
    with pytest.raises(ValueError, match="differ in length only"):
        rnn.pad_sequence([xg.zeros((3, 2)), xg.zeros((1, 3))])
    with pytest.raises(ValueError, match="differ in length only"):
        rnn.pack_sequence([])
    with pytest.raises(ValueError, match='padding_side must be "left" or "right"'):
        rnn.pad_sequence([xg.zeros(3)], padding_side="up")
    with pytest.raises(ValueError, match="there are 2 sequences and 1 lengths"):
        rnn.unpad_sequence(xg.zeros((3, 2)), [1])
    with pytest.raises(ValueError, match=r"LSTM\(3, 2\) takes an input of shape \(4, 3\), got \(4, 2\)"):
        layer("LSTM", 3, 2)(packed)


def test_padding_on_the_left():
    x = [xg.asarray([1.0, 2.0]), xg.asarray([3.0])]
    assert rnn.pad_sequence(x, True, -1.0, "left").tolist() == [[1.0, 2.0], [-1.0, 3.0]]


def test_all_weights_are_those_of_each_direction():
    layer = nn.LSTM(2, 3, num_layers=2, bidirectional=True, proj_size=1)
    layer.flatten_parameters()
    assert [len(each) for each in layer.all_weights] == [5] * 4
    assert [p for each in layer.all_weights for p in each] == list(layer.parameters())
