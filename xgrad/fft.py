"""The standard's fft extension: discrete Fourier transforms, on the current backend where there is no array to say."""

from xgrad.rules.fft import fft as fft
from xgrad.rules.fft import fftfreq as fftfreq
from xgrad.rules.fft import fftn as fftn
from xgrad.rules.fft import fftshift as fftshift
from xgrad.rules.fft import hfft as hfft
from xgrad.rules.fft import ifft as ifft
from xgrad.rules.fft import ifftn as ifftn
from xgrad.rules.fft import ifftshift as ifftshift
from xgrad.rules.fft import ihfft as ihfft
from xgrad.rules.fft import irfft as irfft
from xgrad.rules.fft import irfftn as irfftn
from xgrad.rules.fft import rfft as rfft
from xgrad.rules.fft import rfftfreq as rfftfreq
from xgrad.rules.fft import rfftn as rfftn
