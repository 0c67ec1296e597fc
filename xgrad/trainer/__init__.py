"""The training loop: `xg.Trainer` with its callbacks, metrics, history and checkpoints.

>>> import xgrad as xg
>>> model = xg.nn.Linear(2, 1)
>>> trainer = xg.Trainer(model, xg.nn.MSELoss(), xg.optim.Adam(model.parameters()), progress=False)
>>> x = xg.ones((64, 2))
>>> trainer.fit((x, x[:, :1]), epochs=3).epochs
3
"""

from xgrad.trainer.callbacks import Callback as Callback
from xgrad.trainer.callbacks import EarlyStopping as EarlyStopping
from xgrad.trainer.checkpoints import Checkpoint as Checkpoint
from xgrad.trainer.confusion import confusion_matrix as confusion_matrix
from xgrad.trainer.confusion import plot_confusion_matrix as plot_confusion_matrix
from xgrad.trainer.finder import LRCurve as LRCurve
from xgrad.trainer.finite import NonFiniteError as NonFiniteError
from xgrad.trainer.history import History as History
from xgrad.trainer.logs import CSVLog as CSVLog
from xgrad.trainer.logs import ModelSummary as ModelSummary
from xgrad.trainer.logs import TensorBoard as TensorBoard
from xgrad.trainer.metrics import Metric as Metric
from xgrad.trainer.trainer import Trainer as Trainer
