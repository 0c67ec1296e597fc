"""Which test file tests which source file: by its name, or by the table TESTED_IN."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"

# The tests of each source file that has no test file of its name. A pattern stands for the files of one folder.
TESTED_IN: dict[str, str] = {
    # the package
    "xgrad/__init__.py": "architecture documentation namespace",
    "xgrad/__main__.py": "cli",
    "xgrad/_drawing.py": "plot",
    "xgrad/_files.py": "files",
    "xgrad/_interrupt.py": "interrupt",
    "xgrad/_starting.py": "interrupt",
    "xgrad/_streams.py": "cli_streams",
    "xgrad/_two_loops.py": "optim_lbfgs optimize_lbfgs",
    "xgrad/_version.py": "cli",
    "xgrad/_words.py": "csvfile history",
    "xgrad/fft.py": "namespace rules",
    "xgrad/info.py": "cli",
    "xgrad/linalg.py": "namespace linalg",
    "xgrad/distributions/*.py": "distributions",
    "xgrad/random/*.py": "random",
    "xgrad/special.py": "namespace special",
    # numpy and scipy
    "xgrad/numpy/__init__.py": "numpy_making",
    "xgrad/scipy/__init__.py": "scipy_plain",
    "xgrad/scipy/implicit.py": "scipy_optimize_roots",
    "xgrad/scipy/in_trees.py": "scipy_optimize_roots scipy_integrate",
    "xgrad/scipy/integrate/*.py": "scipy_integrate",
    "xgrad/scipy/interpolate/*.py": "scipy_interpolate",
    "xgrad/scipy/linalg/*.py": "scipy_linalg",
    "xgrad/scipy/numbers.py": "scipy_linalg",
    "xgrad/scipy/optimize/*.py": "scipy_optimize_roots",
    "xgrad/scipy/others.py": "scipy_linalg",
    "xgrad/scipy/signal.py": "scipy_signal",
    "xgrad/scipy/special.py": "scipy_special",
    "xgrad/scipy/stats/*.py": "scipy_stats",
    # compat
    "xgrad/compat/__init__.py": "compat_autograd_operators",
    "xgrad/compat/autograd/*.py": "compat_autograd_operators compat_autograd_primitives compat_autograd_modules",
    "xgrad/compat/autograd/misc/*.py": "compat_autograd_modules",
    "xgrad/compat/autograd/numpy/*.py": "compat_autograd_modules",
    "xgrad/compat/autograd/scipy/*.py": "compat_autograd_modules",
    "xgrad/compat/autograd/scipy/stats/*.py": "compat_autograd_modules",
    # the engine
    "xgrad/engine/__init__.py": "architecture",
    "xgrad/engine/declared.py": "methods",
    "xgrad/engine/deferred.py": "persist",
    "xgrad/engine/numbers.py": "optimize_transfers optim_lbfgs",
    "xgrad/engine/op.py": "dispatch rules",
    "xgrad/engine/plain.py": "anomaly checkpoint amp_autocast",
    "xgrad/engine/casting.py": "amp_autocast amp_compile",
    "xgrad/engine/path.py": "grad nesting",
    "xgrad/engine/reading.py": "checkpoint",
    "xgrad/engine/several.py": "linalg rules",
    "xgrad/engine/transfer.py": "identity nn_module",
    "xgrad/engine/watching.py": "anomaly diagnose_deep",
    "xgrad/engine/tracing.py": "compile_trace compile_moments",
    # amp
    "xgrad/amp/__init__.py": "amp_autocast",
    "xgrad/amp/gradients.py": "amp_grad_scaler",
    "backends/numpy_halves.py": "half_precision",
    # compile
    "xgrad/compile/__init__.py": "compile_compiled",
    "xgrad/compile/capture.py": "compile_trace",
    "xgrad/compile/drawing.py": "compile_trace",
    "xgrad/compile/engines/numpy_layouts.py": "compile_engines_numpy",
    "xgrad/compile/engines/numpy_loops.py": "compile_engines_numpy compile_engines_numpy_blocks",
    "xgrad/compile/engines/numpy_lowering.py": "compile_engines_numpy_kernels compile_engines_numpy",
    "xgrad/compile/engines/numpy_steps.py": "compile_engines_numpy_memory compile_engines_numpy",
    "xgrad/compile/engines/__init__.py": "compile_engines_choice",
    "xgrad/compile/entry.py": "compile_trace compile_moments",
    "xgrad/compile/errors.py": "compile_compiled",
    "xgrad/compile/explain.py": "compile_compiled",
    "xgrad/compile/guards.py": "compile_trace",
    "xgrad/compile/inputs.py": "compile_trace compile_moments",
    "xgrad/compile/outputs.py": "compile_trace compile_moments",
    "xgrad/compile/outside.py": "compile_trace compile_moments",
    "xgrad/compile/passes/kinds.py": "compile_passes_buffers compile_passes_groups",
    "xgrad/compile/passes/rewriting.py": "compile_passes compile_passes_dead_code",
    "xgrad/compile/recorder.py": "compile_program compile_trace compile_functions",
    "xgrad/compile/tracing_backend.py": "compile_functions compile_trace",
    "xgrad/compile/traced.py": "compile_compiled",
    "backends/remembered.py": "compile_trace",
    "backends/derived.py": "batching compile_trace",
    # rules
    "xgrad/rules/__init__.py": "rules",
    "xgrad/rules/attention.py": "rules nn_attention",
    "xgrad/rules/activations.py": "nn_activations rules",
    "xgrad/rules/beta.py": "special special_derivatives",
    "xgrad/rules/complex_numbers.py": "elementwise rules views",
    "xgrad/rules/creation.py": "data default_dtype rules",
    "xgrad/rules/ctc.py": "nn_ctc rules",
    "xgrad/rules/data_type.py": "default_dtype rules",
    "xgrad/rules/decompositions.py": "linalg",
    "xgrad/rules/eigenvalues.py": "linalg",
    "xgrad/rules/singular_values.py": "linalg",
    "xgrad/rules/entropy.py": "special special_derivatives",
    "xgrad/rules/fft.py": "rules dask",
    "xgrad/rules/frequencies.py": "rules dask",
    "xgrad/rules/filled.py": "default_dtype rules",
    "xgrad/rules/indexing.py": "indexing layout",
    "xgrad/rules/bessel_orders.py": "special rules",
    "xgrad/rules/incomplete_gamma.py": "special special_derivatives incomplete_beta",
    "xgrad/rules/linalg.py": "linalg norms",
    "xgrad/rules/linear_algebra.py": "dispatch rules",
    "xgrad/rules/losses.py": "nn_losses rules",
    "xgrad/rules/missing.py": "methods",
    "xgrad/rules/network.py": "stability nn_losses",
    "xgrad/rules/normalization.py": "rules nn_normalization",
    "xgrad/rules/numpy_functions/*.py": "numpy_functions",
    "xgrad/rules/parts.py": "methods",
    "xgrad/rules/pytorch_functions.py": "methods rules",
    "xgrad/rules/pytorch_methods.py": "methods",
    "xgrad/rules/recurrent.py": "rules nn_recurrent",
    "xgrad/rules/reductions.py": "methods",
    "xgrad/rules/searching.py": "conventions rules",
    "xgrad/rules/sets.py": "rules",
    "xgrad/rules/taking.py": "indexing rules",
    "xgrad/rules/convolution.py": "windows rules",
    "xgrad/rules/pooling.py": "windows rules",
    "xgrad/rules/windows.py": "windows rules",
    "xgrad/rules/shapes.py": "rules operands",
    "xgrad/rules/student.py": "special rules incomplete_beta",
    "xgrad/rules/special.py": "special special_derivatives",
    "xgrad/rules/special_arguments.py": "special",
    "xgrad/rules/strides.py": "views methods",
    # transforms
    "xgrad/transforms/__init__.py": "architecture",
    "xgrad/transforms/batching/across.py": "vmap",
    "xgrad/transforms/batching/array.py": "batching",
    "xgrad/transforms/batching/backend.py": "batching vmap",
    "xgrad/transforms/batching/boundary.py": "batching",
    "xgrad/transforms/batching/functions.py": "vmap",
    "xgrad/transforms/batching/windows.py": "windows",
    # nn and optim
    "xgrad/nn/__init__.py": "nn_layers",
    "xgrad/nn/cells.py": "nn_recurrent nn_parity",
    "xgrad/nn/checks.py": "nn_layers",
    "xgrad/nn/functional/*.py": "nn_parity nn_layers nn_losses",
    "xgrad/nn/hooks.py": "nn_module",
    "xgrad/nn/init/*.py": "nn_init",
    "xgrad/nn/adaptive_pooling.py": "nn_pooling",
    "xgrad/nn/convolution_transpose.py": "nn_convolution",
    "xgrad/nn/folding.py": "nn_convolution",
    "xgrad/nn/encoder_decoder.py": "nn_transformer",
    "xgrad/nn/distances.py": "nn_losses nn_parity",
    "xgrad/nn/likelihoods.py": "nn_losses nn_parity",
    "xgrad/nn/margins.py": "nn_losses nn_parity",
    "xgrad/nn/linear.py": "nn_layers",
    "xgrad/nn/piecewise.py": "nn_activations nn_parity",
    "xgrad/nn/prelu.py": "nn_activations nn_parity",
    "xgrad/nn/smooth.py": "nn_activations nn_parity",
    "xgrad/nn/modulelike.py": "nn_module",
    "xgrad/nn/parameter.py": "nn_module",
    "xgrad/nn/parameter_containers.py": "nn_containers",
    "xgrad/nn/placement.py": "nn_module",
    "xgrad/nn/printing.py": "nn_module nn_containers",
    "xgrad/nn/saving.py": "nn_module",
    "xgrad/nn/utils/*.py": "nn_utils nn_recurrent",
    "xgrad/optim/adadelta.py": "optim out_of_memory",
    "xgrad/optim/adagrad.py": "optim out_of_memory",
    "xgrad/optim/adam.py": "optim out_of_memory",
    "xgrad/optim/adamax.py": "optim out_of_memory",
    "xgrad/optim/asgd.py": "optim out_of_memory",
    "xgrad/optim/computing.py": "persist",
    "xgrad/optim/lamb.py": "optim out_of_memory",
    "xgrad/optim/lion.py": "optim out_of_memory",
    "xgrad/optim/flat.py": "optim_lbfgs",
    "xgrad/optim/lbfgs_memory.py": "optim_lbfgs",
    "xgrad/optim/hooks.py": "optim_pytorch",
    "xgrad/optim/loadable.py": "optim",
    "xgrad/optim/loading.py": "optim",
    "xgrad/optim/nadam.py": "optim out_of_memory",
    "xgrad/optim/optimizer.py": "optim out_of_memory",
    "xgrad/optim/lr_scheduler/*.py": "optim_lr_scheduler",
    "xgrad/optim/options.py": "optim",
    "xgrad/optim/prepared.py": "optim optim_blocks cupy_fusion",
    "xgrad/optim/radam.py": "optim out_of_memory",
    "xgrad/optim/rmsprop.py": "optim out_of_memory",
    "xgrad/optim/rprop.py": "optim out_of_memory",
    "xgrad/optim/sgd.py": "optim out_of_memory",
    "xgrad/optim/state.py": "optim out_of_memory",
    "xgrad/optim/strong_wolfe.py": "optim_lbfgs",
    "xgrad/optim/swa_utils/*.py": "optim_swa_utils",
    "xgrad/optim/table.py": "optim",
    "xgrad/optim/update_rule.py": "optim cupy_fusion",
    # onnx
    "xgrad/onnx/__init__.py": "onnx_export",
    "xgrad/onnx/aligning.py": "onnx_export",
    "xgrad/onnx/example.py": "onnx_export",
    "xgrad/onnx/building.py": "onnx_export onnx_functions",
    "xgrad/onnx/dtypes.py": "onnx_export onnx_functions",
    "xgrad/onnx/errors.py": "onnx_export",
    "xgrad/onnx/expanding.py": "onnx_functions onnx_layers",
    "xgrad/onnx/nodes.py": "onnx_export onnx_functions",
    "xgrad/onnx/tracing.py": "onnx_export",
    "xgrad/onnx/lowering/*.py": "onnx_functions onnx_layers onnx_export",
    # data
    "xgrad/data/__init__.py": "data_dataset data_loader",
    "xgrad/data/csvcolumns.py": "data_csvdataset",
    "xgrad/data/csvlayout.py": "data_csvdataset",
    "xgrad/data/csvrows.py": "csvfile data_csvdataset",
    "xgrad/data/fetch.py": "data_loader data_dataset",
    "xgrad/data/hostlike.py": "data_standardize data_onehot",
    "xgrad/data/options.py": "data_loader",
    "xgrad/data/progress.py": "data_loader",
    "xgrad/data/split.py": "data_dataset",
    "xgrad/data/tensors.py": "data_dataset",
    "xgrad/data/workers.py": "data_loader",
    # optimize
    "xgrad/optimize/__init__.py": "optimize_minimize",
    "xgrad/optimize/flat.py": "optimize_minimize",
    "xgrad/optimize/messages.py": "optimize_minimize",
    "xgrad/optimize/objective.py": "optimize_minimize",
    "xgrad/optimize/residuals.py": "optimize_least_squares",
    # state
    "xgrad/state/__init__.py": "state_saving state_files",
    # diagnose and fit
    "xgrad/fit/targets.py": "targets",
    "xgrad/diagnose/__init__.py": "diagnose",
    "xgrad/diagnose/curvature.py": "diagnose",
    "xgrad/diagnose/finding.py": "diagnose",
    "xgrad/diagnose/changes.py": "diagnose_fixes",
    "xgrad/diagnose/continuing.py": "diagnose_rates",
    "xgrad/diagnose/proposals.py": "diagnose_fixes",
    "xgrad/diagnose/finite.py": "trainer_finite diagnose_stopping",
    "xgrad/diagnose/given.py": "diagnose diagnose_loops",
    "xgrad/diagnose/gradients.py": "diagnose diagnose_loops",
    "xgrad/diagnose/hooks.py": "diagnose diagnose_loops",
    "xgrad/diagnose/look.py": "diagnose",
    "xgrad/diagnose/network.py": "diagnose diagnose_loops",
    "xgrad/diagnose/operations.py": "diagnose diagnose_loops",
    "xgrad/diagnose/report.py": "diagnose",
    "xgrad/diagnose/run.py": "diagnose diagnose_loops",
    "xgrad/diagnose/trend.py": "diagnose",
    "xgrad/diagnose/watcher.py": "diagnose diagnose_loops",
    "xgrad/diagnose/without.py": "diagnose",
    "xgrad/diagnose/rules/*.py": "diagnose",
    "xgrad/diagnose/keeping.py": "trainer_checks trainer_diagnosis diagnose",
    "xgrad/trainer/__init__.py": "trainer",
    "xgrad/trainer/options.py": "trainer",
    "xgrad/trainer/snapshot.py": "trainer_finder",
    "xgrad/trainer/trainer.py": "trainer trainer_run",
    "xgrad/trainer/training.py": "trainer_run trainer_callbacks",
    "xgrad/fit/config.py": "fit",
    "xgrad/fit/errors.py": "fit",
    "xgrad/fit/files.py": "files",
    "xgrad/fit/history.py": "history",
    "xgrad/fit/network.py": "fit",
    "xgrad/fit/options.py": "cli",
    "xgrad/fit/pictures/*.py": "pictures",
    "xgrad/fit/progress.py": "cli_streams",
    "xgrad/fit/record.py": "fit plot",
    "xgrad/fit/recorder.py": "fit",
    "xgrad/fit/result.py": "fit samples",
    "xgrad/fit/run.py": "fit fit_seed",
    "xgrad/fit/script.py": "diagnose_script",
    "xgrad/fit/schema.py": "history",
    "xgrad/fit/streams.py": "cli_streams",
    "xgrad/fit/train.py": "fit",
    "xgrad/fit/parser.py": "cli",
    "xgrad/fit/command.py": "cli",
    "xgrad/train/__init__.py": "train_run",
    "xgrad/train/bundle.py": "train_predicting",
    "xgrad/train/classes.py": "train_config",
    "xgrad/train/command.py": "train_run train_predicting",
    "xgrad/train/document.py": "train_config",
    "xgrad/train/folder.py": "train_run",
    "xgrad/train/kinds.py": "train_config",
    "xgrad/train/options.py": "train_run",
    "xgrad/train/parts.py": "train_reading",
    "xgrad/train/plan.py": "train_reading train_config",
    "xgrad/train/problems.py": "train_config",
    "xgrad/train/report.py": "train_run",
    "xgrad/train/result.py": "train_run",
    "xgrad/train/settings.py": "train_config",
    "xgrad/train/task.py": "train_reading",
    # backends
    "backends/data.py": "data",
    "backends/host_batches.py": "data_dataset data_arrays data_onehot",
    "backends/host_files.py": "data_arrays",
    "backends/host_tables.py": "data_csvdataset",
    "backends/__init__.py": "backends_registry architecture",
    "backends/attention.py": "rules nn_attention",
    "backends/buffers.py": "state_saving state_pytorch",
    "backends/base.py": "backends_registry third_parties",
    "backends/bessel.py": "special special_derivatives",
    "backends/beta.py": "special special_derivatives",
    "backends/beta_slope.py": "incomplete_beta rules",
    "backends/log_tails.py": "incomplete_beta rules",
    "backends/quantiles.py": "special incomplete_beta",
    "backends/array_bytes.py": "compile_encoding",
    "backends/cofactors.py": "determinants",
    "backends/dask_blocks.py": "dask",
    "backends/dask_recurrent.py": "rules nn_recurrent",
    "backends/dask_rules.py": "dask",
    "backends/ctc.py": "nn_ctc rules",
    "backends/determinism.py": "scatter",
    "backends/dtype_names.py": "default_dtype",
    "backends/dtypes.py": "default_dtype",
    "backends/elementary.py": "special special_derivatives",
    "backends/errors.py": "backends_registry",
    "backends/formulas.py": "special special_derivatives",
    "backends/frames.py": "persist transfer_guard",
    "backends/gamma_slope.py": "special_derivatives rules",
    "backends/gelu.py": "nn_activations rules",
    "backends/gelu_blocks.py": "nn_activations rules",
    "backends/growth.py": "persist",
    "backends/host.py": "random",
    "backends/jax.py": "jax",
    "backends/layers.py": "rules nn_recurrent",
    "backends/memory.py": "gpu",
    "backends/normal.py": "special special_derivatives",
    "backends/normalization.py": "rules nn_normalization",
    "backends/numpy.py": "rules views optim",
    "backends/numpy_attention.py": "rules nn_attention",
    "backends/numpy_lstm.py": "rules nn_recurrent",
    "backends/raw.py": "rules generic",
    "backends/recurrent.py": "rules nn_recurrent",
    "backends/cupy.py": "cupy",
    "backends/cupy_rules.py": "cupy_fusion rule_source",
    "backends/numpy_windows.py": "windows",
    "backends/dask_windows.py": "windows rules",
    "backends/torch_windows.py": "windows rules",
    "backends/jax_windows.py": "windows rules",
    "backends/windows.py": "windows rules",
    "backends/references.py": "optim tape",
    "backends/special.py": "special",
    "backends/squares.py": "norms elementwise",
    "backends/strict.py": "rules transfers",
    "backends/torch.py": "rules out_of_memory",
    "backends/yielding.py": "ufuncs operators",
    # bench: its figures are measured, its arithmetic and its reports are tested
    "bench/numpy_table.py": "numpy_functions readme",
    "bench/faults_*.py": "bench_faults",
    "bench/diagnose.py": "diagnose",
    "bench/diagnose_runs.py": "diagnose",
    "bench/diagnose_truth.py": "diagnose",
    "bench/examples/*.py": "bench_examples",
    "bench/gpu/*.py": "bench_gpu gpu",
    "bench/libraries/*.py": "libraries",
    "bench/layer_problems.py": "bench",
    "bench/minimizer_problems.py": "bench_minimizers optimize_lbfgs",
    "bench/peers/*.py": "bench",
    "bench/problems.py": "bench",
    "bench/programs/*.py": "bench_programs",
    "bench/readme.py": "readme",
    "bench/report.py": "bench",
    "bench/runner.py": "bench",
    "bench/transforms_worker.py": "bench_transforms",
    "bench/likelihoods_worker.py": "bench_likelihoods",
    "bench/worker.py": "bench",
}

# The source files that no test runs, and why.
UNTESTED = {
    "bench/imports.py": "measures the seconds of whole processes",
    "bench/machine.py": "describes the machine that it runs on",
    "bench/memory.py": "asks bench/worker.py for figures",
    "bench/seed_story.py": "draws the pictures of the README; tests/test_fit_seed.py has the numbers",
}


@cache
def sources() -> list[str]:
    """Every source file of xgrad/, backends/ and bench/, as a path from the root."""
    folders = (ROOT / "xgrad", ROOT / "backends", ROOT / "bench")
    found = [
        path for folder in folders for path in folder.rglob("*.py") if (ROOT / "xgrad/backends") not in path.parents
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def names_of(source: str) -> list[str]:
    """The possible names of a source's test file: the source's name, alone or with the names of its folders in front.

    >>> names_of("xgrad/nn/init.py")
    ['init', 'nn_init', 'xgrad_nn_init']
    >>> names_of("bench/gpu/__main__.py")
    ['gpu', 'bench_gpu']
    """
    parts = [part for part in Path(source).with_suffix("").parts if part not in ("__init__", "__main__")]
    return ["_".join(parts[n:]) for n in reversed(range(len(parts)))]


@cache
def test_files() -> list[str]:
    """The names of the test files, without `test_` in front."""
    return sorted(path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py"))


test_files.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


@cache
def own_tests() -> dict[str, str]:
    """The test file of each source that has one of its name. A name that fits two sources counts for neither."""
    shared = Counter(name for one in {tuple(names_of(source)) for source in sources()} for name in one)
    there = set(test_files())
    found = {}
    for source in sources():
        for name in names_of(source):
            if name in there and shared[name] == 1:
                found[source] = name
    return found


def is_listed(source: str, pattern: str) -> bool:
    """Whether a pattern of TESTED_IN stands for a source."""
    folder, _, name = source.rpartition("/")
    wanted_folder, _, wanted = pattern.rpartition("/")
    return folder == wanted_folder and fnmatchcase(name, wanted)


def subjects() -> list[str]:
    """The test files that are named after a subject, not after a source."""
    elsewhere = {
        source: tests for source in sources() for pattern, tests in TESTED_IN.items() if is_listed(source, pattern)
    }
    of_source = {name for source, tests in elsewhere.items() for name in names_of(source) if name in tests.split()}
    return [name for name in test_files() if name not in of_source | set(own_tests().values())]
