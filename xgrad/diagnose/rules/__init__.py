"""The diagnostic rules, in the order in which they run: causes before their effects."""

from xgrad.diagnose.rules.activation import OutputActivation
from xgrad.diagnose.rules.bookkeeping import ForgotZeroGrad, Frozen, NoGradient
from xgrad.diagnose.rules.constant import ConstOutput
from xgrad.diagnose.rules.dead import DeadLayer
from xgrad.diagnose.rules.decay import Regularisation
from xgrad.diagnose.rules.exploded import LossExploded
from xgrad.diagnose.rules.generalisation import Imbalance, Overfitting
from xgrad.diagnose.rules.gradcheck import GradCheck
from xgrad.diagnose.rules.labels import LabelRange
from xgrad.diagnose.rules.linear import LinearNetwork
from xgrad.diagnose.rules.loss_task import LossTask
from xgrad.diagnose.rules.nonfinite import NonFinite
from xgrad.diagnose.rules.order import NotShuffled
from xgrad.diagnose.rules.range import OutputRange
from xgrad.diagnose.rules.rates import LearningRateHigh, LearningRateLow
from xgrad.diagnose.rules.rule import DiagnosticRule
from xgrad.diagnose.rules.saturated import Saturated
from xgrad.diagnose.rules.scale import Scale
from xgrad.diagnose.rules.trained import Plateau, Undertrained
from xgrad.diagnose.rules.unstable import StepUnstable
from xgrad.diagnose.rules.vanishing import Vanishing

RULES: tuple[type[DiagnosticRule], ...] = (
    GradCheck,
    NoGradient,
    LabelRange,
    OutputActivation,
    LossTask,
    OutputRange,
    StepUnstable,
    NonFinite,
    Scale,
    DeadLayer,
    LossExploded,
    ForgotZeroGrad,
    Regularisation,
    NotShuffled,
    LearningRateHigh,
    LearningRateLow,
    LinearNetwork,
    Vanishing,
    Saturated,
    Imbalance,
    Overfitting,
    ConstOutput,
    Frozen,
    Undertrained,
    Plateau,
)

__all__ = ["RULES", "DiagnosticRule"]
