"""Data for training, with PyTorch's names: datasets, samplers and loaders that resume.

>>> import numpy as np
>>> import xgrad as xg
>>> data = xg.data.TensorDataset(np.zeros((10, 3)), np.arange(10))
>>> for x, y in xg.data.DataLoader(data, batch_size=5):
...     print(x.shape, y.tolist())
(5, 3) [0, 1, 2, 3, 4]
(5, 3) [5, 6, 7, 8, 9]
"""

from xgrad.backends.errors import DataError as DataError
from xgrad.data.arrays import NPYDataset as NPYDataset
from xgrad.data.arrays import NPZDataset as NPZDataset
from xgrad.data.arrays import read_npy as read_npy
from xgrad.data.arrays import read_npz as read_npz
from xgrad.data.collate import default_collate as default_collate
from xgrad.data.collate import default_convert as default_convert
from xgrad.data.csvdataset import CSVDataset as CSVDataset
from xgrad.data.csvdataset import read_csv as read_csv
from xgrad.data.dataset import ChainDataset as ChainDataset
from xgrad.data.dataset import ConcatDataset as ConcatDataset
from xgrad.data.dataset import Dataset as Dataset
from xgrad.data.dataset import IterableDataset as IterableDataset
from xgrad.data.dataset import Subset as Subset
from xgrad.data.loader import DataLoader as DataLoader
from xgrad.data.onehot import OneHot as OneHot
from xgrad.data.samplers import BatchSampler as BatchSampler
from xgrad.data.samplers import RandomSampler as RandomSampler
from xgrad.data.samplers import Sampler as Sampler
from xgrad.data.samplers import SequentialSampler as SequentialSampler
from xgrad.data.samplers import SubsetRandomSampler as SubsetRandomSampler
from xgrad.data.samplers import WeightedRandomSampler as WeightedRandomSampler
from xgrad.data.split import random_split as random_split
from xgrad.data.standardize import Standardize as Standardize
from xgrad.data.tensors import TensorDataset as TensorDataset
