"""The programs of bench/programs give the same results on every backend, and on NumPy those of programs without xgrad."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from bench import programs
from bench.gpu import programs as of_gpu
from bench.gpu.job import Job
from bench.programs import __main__ as main
from bench.programs import table
from bench.runner import ROOT
from tests.conftest import selected
from tests.support.arrays import to_numpy

pytest.importorskip("scipy")

FEWER = {  # where a program takes long, because each shape is compiled, or each operation is a kernel in a queue
    "jax": ("newton", "factorisation", "svi"),
    "dpnp": ("factorisation", "vae", "svi", "reinforce"),
}


@pytest.fixture(autouse=True)
def in_whole_chunks(request):
    """The fixture's arrays of dask are in chunks of four numbers, in which a program is tens of thousands of tasks."""
    if "backend" in request.fixturenames and request.getfixturevalue("backend").name == "dask":
        pytest.skip("on dask, programs are tested in whole chunks")


@cache
def on_numpy(name: str) -> programs.Ends:
    program = programs.load(name)
    with xg.use_backend("numpy"):
        return program.run(program.few)


@pytest.mark.parametrize("name", programs.NAMES)
def test_it_ends_as_on_numpy(backend, name):
    if name not in FEWER.get(backend.name, programs.NAMES):
        pytest.skip(f"it takes long on {backend.name}: `python -m bench.programs` runs it")
    program = programs.load(name)
    assert programs.apart(program.run(program.few), on_numpy(name)) <= program.tolerance


@pytest.mark.skipif("dask" not in selected(), reason="dask is tested on request")
@pytest.mark.parametrize("name", ["newton", "gaussian_process"])
def test_it_ends_on_dask_as_on_numpy(name):
    program = programs.load(name)
    with xg.use_backend("dask"):
        assert programs.apart(program.run(program.few), on_numpy(name)) <= program.tolerance


@pytest.mark.parametrize("name", programs.NAMES)
def test_no_program_names_a_backend(name):
    text = (ROOT / f"bench/programs/{name}.py").read_text(encoding="utf-8")
    words = ("backend", "torch", "jax", "cupy", "dask", "strict", "dpnp", "persist", "device")
    assert not [word for word in words if word in text]


def test_a_wrong_derivative_is_found(monkeypatch):
    pytest.importorskip("array_api_strict")
    from xgrad.backends import load
    from xgrad.engine.op import OPS

    program, strict = programs.load("svi"), load("strict")
    monkeypatch.setitem(OPS["sum"].raw, strict, lambda *args, **kw: strict.xp.sum(*args, **kw) * (1 + 1e-6))
    with xg.use_backend("strict"):
        assert programs.apart(program.run(program.few), on_numpy("svi")) > program.tolerance


# --- against numbers from elsewhere -------------------------------------------------------------------------


def of(name: str) -> Any:
    return import_module(f"bench.programs.{name}")


def test_the_gaussian_process_against_numpy(backend):
    gp = of("gaussian_process")
    log_parameters = np.array([-0.2, 0.1, -1.5])
    length, amplitude, noise = np.exp(log_parameters)

    def kernel(a, b):
        return amplitude**2 * np.exp(-((a[:, None] - b) ** 2) / (2 * length**2))

    K = kernel(gp.X, gp.X) + noise**2 * np.eye(len(gp.X))
    want = gp.Y @ np.linalg.solve(K, gp.Y) / 2 + np.linalg.slogdet(2 * np.pi * K)[1] / 2
    np.testing.assert_allclose(gp.negative_log_likelihood(xg.asarray(log_parameters)).item(), want, rtol=1e-10)
    mean = kernel(gp.UNSEEN, gp.X) @ np.linalg.solve(K, gp.Y)
    np.testing.assert_allclose(to_numpy(gp.predict(xg.asarray(log_parameters))), mean, rtol=1e-8)


def test_the_gaussian_process_ends_in_a_minimum():
    gp = of("gaussian_process")
    with xg.use_backend("numpy"):
        ends = gp.run()
        best = np.log([ends["length"], ends["amplitude"], ends["noise"]])
        for step in 0.01 * np.vstack([np.eye(3), -np.eye(3)]):
            assert gp.negative_log_likelihood(xg.asarray(best + step)).item() > ends["negative log likelihood"]


def test_the_kalman_filter_against_the_joint_density(backend):
    filter = of("kalman_filter")
    q, r = 0.3, 2.0
    n = len(filter.SEEN)
    covariance, rows = 10.0 * np.eye(2), np.zeros((n, n))
    for i in range(n):  # of the positions i and j > i, from the state's covariance at i
        covariance = filter.F @ covariance @ filter.F.T + q * filter.G
        ahead = covariance
        for j in range(i, n):
            rows[i, j] = rows[j, i] = (filter.H @ ahead @ filter.H.T)[0, 0]
            ahead = ahead @ filter.F.T
    joint = rows + r * np.eye(n)
    seen = filter.SEEN
    want = -(seen @ np.linalg.solve(joint, seen) + np.linalg.slogdet(2 * np.pi * joint)[1]) / 2
    with xg.no_grad():
        found = filter.log_likelihood(xg.asarray(np.log([q, r]))).item()
    np.testing.assert_allclose(found, want, rtol=1e-10)


def test_the_differential_equation_against_scipy():
    from scipy.integrate import solve_ivp

    ode = of("ode_adjoint")
    a, b, c, d = ode.TRUE

    def growth(_, state):
        return [state[0] * (a - b * state[1]), state[1] * (d * state[0] - c)]

    exact = solve_ivp(growth, (ode.TIMES[0], ode.TIMES[-1]), ode.START, t_eval=ode.TIMES, rtol=1e-11, atol=1e-12)
    with xg.use_backend("numpy"):
        found = to_numpy(ode.course(xg.asarray(ode.START), xg.asarray(ode.TRUE)))
    np.testing.assert_allclose(found, exact.y.T, rtol=1e-4)


def test_the_adjoint_against_the_gradient_through_all_steps():
    ode = of("ode_adjoint")
    weights = np.random.default_rng(0).normal(size=(len(ode.TIMES), 2))
    with xg.use_backend("numpy"):
        through, by_adjoint = (
            xg.grad(lambda s, r, f=f: xg.sum(weights * f(s, r)), argnums=(0, 1))(ode.START, ode.TRUE)
            for f in (ode.course, ode.solve)
        )
    for found, want in zip(by_adjoint, through, strict=True):
        np.testing.assert_allclose(to_numpy(found), to_numpy(want), rtol=2e-3)


def test_poisson_regression_against_scoring():
    newton = of("newton")
    w = np.zeros(3)
    for _ in range(20):
        rate = np.exp(newton.X @ w)
        information = newton.X.T @ (rate[:, None] * newton.X)
        w = w + np.linalg.solve(information, newton.X.T @ (newton.COUNTS - rate))
    with xg.use_backend("numpy"):
        ends = newton.run()
    np.testing.assert_allclose([ends["w0"], ends["w1"], ends["w2"]], w, rtol=1e-8)
    np.testing.assert_allclose(ends["error of w1"], np.sqrt(np.linalg.inv(information)[1, 1]), rtol=1e-8)


def test_the_convolution_against_scipy(backend):
    from scipy.signal import correlate

    rng = np.random.default_rng(0)
    layer = of("convnet").Conv2d(2, 3, 3, rng)
    x = rng.normal(size=(2, 2, 6, 5))
    weight = to_numpy(layer.weight).reshape(2, 3, 3, 3)  # channel, row, column, feature
    want = [[correlate(one, weight[..., f], mode="valid")[0] for f in range(3)] for one in x]
    np.testing.assert_allclose(to_numpy(layer(xg.asarray(x))), want, rtol=1e-12)


def test_the_residual_of_the_heat_equation(backend):
    pinn = of("pinn")
    x, t = np.array([0.2, 0.7]), np.array([0.5, 0.1])
    found = pinn.residual(lambda x, t: x**3 * t, xg.asarray(x), xg.asarray(t))
    np.testing.assert_allclose(to_numpy(found), x**3 - pinn.RATE * 6 * x * t, rtol=1e-12)


def test_springs_against_plain_loops():
    springs = of("springs")
    lengths, x = 1.1 * springs.LENGTHS, springs.PLACES.copy()
    v = np.tile([1.0, -2.0], (len(x), 1))
    for _ in range(springs.MOMENTS):
        force = np.tile(springs.GRAVITY, (len(x), 1)) - springs.DAMPING * v
        for (i, j), length in zip(springs.PAIRS, lengths, strict=True):
            apart = x[j] - x[i]
            pull = springs.STIFFNESS * (1 - length / np.linalg.norm(apart)) * apart
            force[i] += pull
            force[j] -= pull
        v = v + springs.DT * force
        v[:, 1] = np.where((x[:, 1] < 0) & (v[:, 1] < 0), -0.3 * v[:, 1], v[:, 1])
        x = x + springs.DT * v
    with xg.use_backend("numpy"):
        found = to_numpy(springs.simulate(xg.asarray(lengths), xg.asarray([1.0, -2.0])))
    np.testing.assert_allclose(found, x, rtol=1e-9)
    assert (x[:, 1] < 0.05).any(), "some of them are on the ground"


# --- on a device: a section of bench.gpu ------------------------------------------------------------------------


def section(folder, monkeypatch, seconds: float = 36_000.0) -> dict[str, Any]:
    pytest.importorskip("array_api_strict")
    monkeypatch.setattr(of_gpu, "NAMES", ("newton", "gaussian_process"))
    job = Job("strict", folder / "found.json", seconds, folder)
    of_gpu.run(job)
    return job.found


def test_a_device_ends_as_numpy(tmp_path, monkeypatch):
    found = section(tmp_path, monkeypatch)
    assert "failures" not in found
    rows = found["tables"][of_gpu.TITLE]["rows"]
    assert [row[:2] for row in rows] == [["newton", "50"], ["gaussian_process", "100"]]
    assert found["summary"] == "2 of 2 programs end as on NumPy, 2 of them in full"


def test_without_time_it_takes_few_steps_and_says_so(tmp_path, monkeypatch):
    found = section(tmp_path, monkeypatch, seconds=0.0)
    assert [row[1] for row in found["tables"][of_gpu.TITLE]["rows"]] == ["2", "3"]
    assert found["notes"] == ["few steps, for want of time: newton, gaussian_process"]


def test_a_device_that_ends_elsewhere_fails(tmp_path, monkeypatch):
    def elsewhere(program: Any, backend: str, steps: int) -> tuple[dict[str, float], float]:
        if program.name == "gaussian_process" and backend == "strict":
            raise ZeroDivisionError("here")
        return {"loss": 1.0 + (backend == "strict")}, 0.1

    monkeypatch.setattr(of_gpu, "timed", elsewhere)
    found = section(tmp_path, monkeypatch)
    assert found["ok"] is False
    assert found["failures"][0].startswith("newton: its ends are 1e+00 apart")
    assert found["failures"][1:] == ["gaussian_process: ZeroDivisionError: here"]
    assert found["summary"] == "0 of 2 programs end as on NumPy, 0 of them in full"


# --- the command --------------------------------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch):
    """What each process would say, in place of it; the list of what was asked for."""
    asked: list[tuple[str, str, int]] = []

    def one_run(name: str, backend: str, steps: int) -> dict[str, Any]:
        asked.append((name, backend, steps))
        if (name, backend) == ("vae", "strict"):
            return {"failed": "ZeroDivisionError: here"}
        off = 1e-3 if (name, backend) == ("gpt", "strict") else 1e-15
        return {"backend": backend, "ends": {"loss": 2.0 + off * (backend != "numpy")}, "seconds": 0.1}

    monkeypatch.setattr(main, "one_run", one_run)
    monkeypatch.setattr(main, "usable", lambda name: ["cpu"])
    return asked


def test_all_as_on_numpy_is_status_0(runs, capsys):
    assert main.main(["--only", "svi,springs", "--backends", "strict", "--no-save"]) == 0
    assert "DIFFERS" not in capsys.readouterr().out


def test_another_end_or_a_failure_is_status_1_and_named(runs, capsys):
    assert main.main(["--only", "svi,gpt,vae", "--backends", "strict"]) == 1
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "not as on NumPy: gpt on strict, vae on strict"
    assert "DIFFERS: 5e-04" in said.out
    assert "* vae on `strict` failed: ZeroDivisionError: here" in said.out


def test_few_steps_are_compared_with_as_many_on_numpy(runs):
    program = programs.load("svi")
    main.main(["--only", "svi", "--backends", "dask", "--no-save"])
    assert runs == [
        ("svi", "numpy", program.steps),
        ("svi", "numpy", program.few),
        ("svi", "dask", program.few),
    ]


def test_a_backend_that_is_asked_for_must_be_usable(capsys):
    from xgrad.backends import BackendError, usable

    try:
        usable("cupy")
    except BackendError:
        assert main.main(["--only", "svi", "--backends", "cupy"]) == 2
        assert "'cupy' is not usable" in capsys.readouterr().err
    else:
        pytest.skip("there is a device")


def test_the_results_are_a_report_and_readmes_table(runs, tmp_path, capsys):
    assert "Not run yet" in table.readme(tmp_path)
    rows, _ = main.measure(["svi", "gpt"], ["strict"])
    where = {
        "date": "2026-01-31",
        "commit": "C",
        "cpu": "P",
        "cores": 2,
        "python": "Py",
        "environment": {"OMP_NUM_THREADS": "1"},
    }
    missing = {"cupy": "it is not installed"}
    results = {
        "machine": where, "versions": {"numpy": "2"}, "backends": ["strict"], "few": [], "missing": missing, "programs": rows,
    }  # fmt: skip
    path = table.write(results, tmp_path)
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "OMP_NUM_THREADS=1" in text
    assert "* `cupy` left out: it is not installed" in text
    found = table.readme(tmp_path)
    assert "| [`svi`](programs/svi.py) | loss 2 | 1e-09 | 4e-16 |" in found
    assert "DIFFERS: 5e-04" in found


def test_the_results_of_another_environment_are_added(runs, tmp_path, capsys):
    where = {"date": "2026-01-31", "commit": "C", "cpu": "P", "cores": 2, "python": "Py", "environment": {}}
    results: dict[str, Any] = {"machine": where, "few": [], "missing": {"cupy": "it is not installed"}}
    rows, _ = main.measure(["svi", "gpt"], ["strict"])
    path = table.write(results | {"versions": {"numpy": "2"}, "backends": ["strict"], "programs": rows}, tmp_path)
    rows, _ = main.measure(["svi"], ["cupy"])
    more = {"few": ["cupy"], "versions": {"numpy": "3", "cupy": "14"}, "backends": ["cupy"], "programs": rows}
    for _ in range(2):
        assert table.add(results | more, tmp_path) == path
        text = path.with_suffix(".md").read_text(encoding="utf-8")
        assert "numpy 2, cupy 14" in text
        assert "`cupy` left out" not in text
        assert "* `cupy` was run apart: 2026-01-31, commit C, Py" in text
        found = table.readme(tmp_path)
        assert "| [`svi`](programs/svi.py) | loss 2 | 1e-09 | 4e-16 | 4e-16 |" in found
        assert "DIFFERS: 5e-04 | - |" in found
        assert "On `cupy` a program takes its fewest steps" in found


def test_a_process_runs_on_the_backend_of_the_variable():
    pytest.importorskip("array_api_strict")
    program = programs.load("factorisation")
    found = main.one_run("factorisation", "strict", program.few)
    assert found["backend"] == "strict"
    assert programs.apart(found["ends"], on_numpy("factorisation")) <= program.tolerance
    assert "unheard-of" in main.one_run("factorisation", "unheard-of", 1)["failed"]
