"""The standard's fft extension: discrete Fourier transforms, on the current backend where no array decides."""

from xgrad.rules.fft import fft as fft
from xgrad.rules.fft import fftn as fftn
from xgrad.rules.fft import hfft as hfft
from xgrad.rules.fft import ifft as ifft
from xgrad.rules.fft import ifftn as ifftn
from xgrad.rules.fft import ihfft as ihfft
from xgrad.rules.fft import irfft as irfft
from xgrad.rules.fft import irfftn as irfftn
from xgrad.rules.fft import rfft as rfft
from xgrad.rules.fft import rfftn as rfftn
from xgrad.rules.frequencies import fftfreq as fftfreq
from xgrad.rules.frequencies import fftshift as fftshift
from xgrad.rules.frequencies import ifftshift as ifftshift
from xgrad.rules.frequencies import rfftfreq as rfftfreq
