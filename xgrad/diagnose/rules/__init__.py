"""The diagnostic rules, in the order in which they run: causes before their effects."""

from xgrad.diagnose.rules.bookkeeping import ForgotZeroGrad, Frozen, NoGradient
from xgrad.diagnose.rules.constant import ConstOutput
from xgrad.diagnose.rules.dead import DeadLayer
from xgrad.diagnose.rules.exploded import LossExploded
from xgrad.diagnose.rules.gradcheck import GradCheck
from xgrad.diagnose.rules.nonfinite import NonFinite
from xgrad.diagnose.rules.range import OutputRange
from xgrad.diagnose.rules.rule import DiagnosticRule
from xgrad.diagnose.rules.saturated import Saturated
from xgrad.diagnose.rules.scale import Scale
from xgrad.diagnose.rules.trained import Plateau, Undertrained
from xgrad.diagnose.rules.unstable import StepUnstable

RULES: tuple[type[DiagnosticRule], ...] = (
    GradCheck,
    NoGradient,
    StepUnstable,
    NonFinite,
    DeadLayer,
    LossExploded,
    ForgotZeroGrad,
    Saturated,
    ConstOutput,
    OutputRange,
    Scale,
    Frozen,
    Undertrained,
    Plateau,
)

__all__ = ["RULES", "DiagnosticRule"]
