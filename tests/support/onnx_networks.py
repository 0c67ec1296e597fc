"""Four networks, in xgrad and in PyTorch alike: an MLP, a small ResNet, an LSTM and a block of GPT.

Each is a function of the library: its `nn`, and the few functions that the two name differently.
"""

from __future__ import annotations

from typing import Any


def mlp(nn: Any, f: Any) -> Any:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))


def resnet(nn: Any, f: Any) -> Any:
    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, channels: int, out: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(out)
            self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            y = self.relu(self.bn1(self.conv1(x)))
            return self.relu(self.bn2(self.conv2(y)) + self.shortcut(x))

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Block(8, 8, 1), Block(8, 16, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip


def lstm(nn: Any, f: Any, batch_first: bool = True) -> Any:
    class Tagger(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(11, 6)
            self.lstm = nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=batch_first)
            self.head = nn.Linear(16, 4)

        def forward(self, tokens: Any) -> Any:
            found, (h, c) = self.lstm(self.embedding(tokens))
            return {"tags": self.head(found), "h": h, "c": c}

    return Tagger()


def gpt(nn: Any, f: Any) -> Any:
    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(13, 16), nn.Embedding(12, 16)
            self.norm1, self.norm2, self.norm3 = nn.LayerNorm(16), nn.LayerNorm(16), nn.LayerNorm(16)
            self.attention, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
            self.up, self.down, self.gelu = nn.Linear(16, 64), nn.Linear(64, 16), nn.GELU()
            self.head = nn.Linear(16, 13, bias=False)

        def forward(self, tokens: Any) -> Any:
            n, length = tokens.shape
            x = self.tokens(tokens) + self.positions(f.arange(length))
            q, k, v = (
                f.permute(part.reshape(n, length, 4, 4), (0, 2, 1, 3))
                for part in f.thirds(self.attention(self.norm1(x)))
            )
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(f.permute(y, (0, 2, 1, 3)).reshape(n, length, 16))
            x = x + self.down(self.gelu(self.up(self.norm2(x))))
            return self.head(self.norm3(x))

    return Block()


def gpt_of_layers(nn: Any, f: Any) -> Any:
    class Model(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(13, 16), nn.Embedding(12, 16)
            layer = nn.TransformerEncoderLayer(16, 4, 32, activation="gelu", batch_first=True, norm_first=True)
            self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
            self.head = nn.Linear(16, 13)

        def forward(self, tokens: Any) -> Any:
            length = tokens.shape[1]
            x = self.tokens(tokens) + self.positions(f.arange(length))
            later = f.triu(f.ones((length, length)), 1) > 0
            x = self.blocks(x, mask=later)
            return self.head(x + self.attention(x, x, x, attn_mask=later, need_weights=False)[0])

    return Model()


class XGrad:
    """xgrad's names."""

    def __init__(self, xg: Any) -> None:
        self.nn, self.arange, self.ones = xg.nn, xg.arange, xg.ones
        self.permute, self.triu = xg.permute_dims, lambda x, k: xg.triu(x, k=k)
        self.thirds = lambda x: xg.chunk(x, 3, axis=-1)


class Torch:
    """PyTorch's names."""

    def __init__(self, torch: Any) -> None:
        self.nn, self.arange, self.ones = torch.nn, torch.arange, torch.ones
        self.permute, self.triu = torch.permute, torch.triu
        self.thirds = lambda x: torch.chunk(x, 3, dim=-1)
