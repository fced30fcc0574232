"""PyTorch's side of the engine benchmark: a plain Qwen3-family decoder, trained and sampled as PyTorch does it best on a CPU.

Reads one JSON request per line ({"task": "train" | "decode" | "score" | "peak", "count": n}) and answers one JSON line each.
The model's sizes come as the first argument, the number of threads as the second.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = json.loads(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(0)

V, D, FF, L = SIZES["vocabulary"], SIZES["hidden"], SIZES["intermediate"], SIZES["layers"]
H, KV, HD = SIZES["heads"], SIZES["keyValueHeads"], SIZES["hidden"] // SIZES["heads"]
B, T = SIZES["batch"], SIZES["time"]
DECODE_ROWS, PROMPT, NEW = SIZES["decodeRows"], SIZES["prompt"], SIZES["newTokens"]


def rotate(x, cos, sin):
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-right, left), dim=-1) * sin


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(D, eps=1e-6), nn.RMSNorm(D, eps=1e-6)
        self.q_norm, self.k_norm = nn.RMSNorm(HD, eps=1e-6), nn.RMSNorm(HD, eps=1e-6)
        self.qkv = nn.Linear(D, (H + 2 * KV) * HD, bias=False)
        self.o = nn.Linear(H * HD, D, bias=False)
        self.gate_up = nn.Linear(D, 2 * FF, bias=False)
        self.down = nn.Linear(FF, D, bias=False)

    def forward(self, x, cos, sin, cache=None, position=0):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, H + 2 * KV, HD).transpose(1, 2).split((H, KV, KV), dim=1)
        q, k = rotate(self.q_norm(q), cos, sin), rotate(self.k_norm(k), cos, sin)
        if cache is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=H != KV)
        else:
            keys, values = cache
            keys[:, :, position : position + t], values[:, :, position : position + t] = k, v
            k, v = keys[:, :, : position + t], values[:, :, : position + t]
            y = F.scaled_dot_product_attention(q, k, v, is_causal=t > 1, enable_gqa=H != KV)
        x = x + self.o(y.transpose(1, 2).reshape(b, t, H * HD))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, D)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(L))
        self.norm = nn.RMSNorm(D, eps=1e-6)
        angles = torch.arange(T + NEW + PROMPT)[:, None] * (1e4 ** (-torch.arange(0, HD, 2) / HD))[None]
        self.cos, self.sin = torch.cat((angles, angles), -1).cos(), torch.cat((angles, angles), -1).sin()

    def forward(self, ids, caches=None, position=0):
        t = ids.shape[1]
        cos, sin = self.cos[position : position + t], self.sin[position : position + t]
        x = self.embed(ids)
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if caches is None else caches[index], position)
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed.weight)


model = Decoder()
ids = torch.randint(0, V, (B, T + 1))
inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()


def make_optimizer(kind):
    return torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.01, **{kind: True})


def train_step(optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model.logits(model(inputs)).view(-1, V), targets.view(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def fastest_optimizer():
    candidates = {}
    for kind in ("fused", "foreach"):
        optimizer = make_optimizer(kind)
        train_step(optimizer)
        candidates[kind] = min(timed(optimizer.step) for _ in range(3))
        del optimizer
    return min(candidates, key=candidates.get)


def score():
    with torch.inference_mode():
        return -F.cross_entropy(model.logits(model(inputs)).view(-1, V), targets.view(-1), reduction="none")


def decode():
    with torch.inference_mode():
        prompt = torch.randint(0, V, (DECODE_ROWS, PROMPT))
        caches = [tuple(torch.empty(DECODE_ROWS, KV, PROMPT + NEW, HD) for _ in range(2)) for _ in range(L)]
        hidden, position = model(prompt, caches, 0), PROMPT
        tokens, scores = [], []
        for index in range(NEW):
            logprobs = torch.log_softmax(model.logits(hidden[:, -1]), -1)
            token = torch.multinomial(logprobs.exp(), 1)
            tokens.append(token)
            scores.append(logprobs.gather(1, token))
            if index + 1 < NEW:
                hidden, position = model(token, caches, position), position + 1
        return torch.cat(tokens, 1).tolist(), torch.cat(scores, 1).tolist()


kind = fastest_optimizer()
optimizer = make_optimizer(kind)
print(json.dumps({"version": torch.__version__, "optimizer": kind}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["task"] == "peak":
        answer = {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    else:
        task = {"train": lambda: train_step(optimizer), "score": score, "decode": decode}[request["task"]]
        answer = {"seconds": [timed(task) for _ in range(request["count"])]}
    print(json.dumps(answer), flush=True)
