"""Writes the golden numbers that golden.test.ts compares with: tiny random models, and what PyTorch and transformers compute with them.

    pip install torch transformers safetensors
    python test/golden/generate.py

Every folder is an ordinary checkpoint plus golden.json (versions, log-probs, logits, gradient norms), gradients.safetensors (of
sum_t w_t log p_t over all sequences) and stepped.safetensors (the parameters after three AdamW steps). rope.json and adamw.json hold
rotary frequencies of many configs and single-tensor AdamW trajectories.
"""

import copy
import json
import math
import platform
import shutil
from pathlib import Path

import numpy
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent
VERSIONS = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "numpy": numpy.__version__,
}
VOCABULARY = 40
LENGTHS = [(13, 1), (5, 2), (48, 9)]  # (tokens, where the scored part begins)
ADAMW = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.1}
STEPS = 3

COMMON = {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "max_position_embeddings": 128, "eos_token_id": 1}
MODELS = {
    "qwen3": dict(
        COMMON, model_type="qwen3", hidden_size=16, intermediate_size=24, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e6},
    ),
    "qwen2": dict(
        COMMON, model_type="qwen2", hidden_size=16, intermediate_size=28, num_attention_heads=2, num_key_value_heads=1,
        tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e4},
    ),
    "llama": dict(
        COMMON, model_type="llama", hidden_size=24, intermediate_size=32, num_attention_heads=3, num_key_value_heads=1,
        tie_word_embeddings=False, rms_norm_eps=1e-5,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
    "qwen3-yarn-bfloat16": dict(
        COMMON, model_type="qwen3", num_hidden_layers=1, hidden_size=16, intermediate_size=16, num_attention_heads=2,
        num_key_value_heads=2, head_dim=16, tie_word_embeddings=False,
        rope_parameters={"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 32},
    ),
    "llama-linear": dict(
        COMMON, model_type="llama", num_hidden_layers=1, hidden_size=16, intermediate_size=16, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True,
        rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 3.0},
    ),
}


def build(name: str, settings: dict):
    torch.manual_seed(sum(name.encode()))
    settings = copy.deepcopy(settings)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Far from the usual initialisation, so that every non-linearity and every term of its gradient counts.
            if parameter_name.endswith("norm.weight"):
                parameter.copy_(1 + 0.3 * torch.randn_like(parameter))
            else:
                parameter.copy_(torch.randn_like(parameter) * (0.3 if parameter.dim() == 1 else 1.0 / math.sqrt(parameter.shape[1])))
            if name.endswith("bfloat16"):
                parameter.copy_(parameter.bfloat16().float())
    return model


def sequences():
    generator = torch.Generator().manual_seed(7)
    result = []
    for length, start in LENGTHS:
        ids = torch.randint(0, VOCABULARY, (length,), generator=generator)
        weights = torch.randn(length - start, generator=generator)
        weights[0] = 0.0
        result.append({"ids": ids.tolist(), "start": start, "weights": weights.tolist()})
    return result


def weighted_sum(model, data):
    """Sum over all sequences of sum_t w_t log p(ids[t] | ids[:t]), with the log-probs."""
    total, logprobs = 0.0, []
    for sequence in data:
        ids = torch.tensor([sequence["ids"]])
        logits = model(input_ids=ids).logits[0]
        everything = torch.log_softmax(logits[:-1], dim=-1).gather(1, ids[0, 1:, None])[:, 0]
        scored = everything[sequence["start"] - 1 :]
        logprobs.append(scored.detach().tolist())
        total = total + (scored * torch.tensor(sequence["weights"])).sum()
    return total, logprobs


def greedy(model):
    """Prompts of different lengths continued greedily, each by itself, with the log-prob of every new token."""
    generator = torch.Generator().manual_seed(11)
    result = []
    for length in (6, 1, 17):
        ids = torch.randint(0, VOCABULARY, (length,), generator=generator).tolist()
        prompt, logprobs = list(ids), []
        for _ in range(12):
            with torch.no_grad():
                distribution = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0, -1], dim=-1)
            best = distribution.topk(2)
            assert best.values[0] - best.values[1] > 1e-3, "too close to call: take another seed"
            ids.append(int(best.indices[0]))
            logprobs.append(float(best.values[0]))
        result.append({"prompt": prompt, "ids": ids[length:], "logprobs": logprobs})
    return result


def write_model(name: str, settings: dict):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model = build(name, settings)
    stored = copy.deepcopy(model)
    (stored.bfloat16() if name.endswith("bfloat16") else stored).save_pretrained(folder)

    data = sequences()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([data[0]["ids"]])).logits[0]
    continuations = greedy(model)
    total, logprobs = weighted_sum(model, data)
    total.backward()
    gradients = {key: value.grad.clone() for key, value in model.named_parameters()}
    norm = math.sqrt(sum(float(value.double().pow(2).sum()) for value in gradients.values()))

    # Training minimises -total; the clip is well below the norm so that it acts.
    options = dict(ADAMW, maxGradientNorm=norm / 4)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=options["learningRate"], betas=(options["beta1"], options["beta2"]), eps=options["epsilon"],
        weight_decay=options["weightDecay"],
    )
    norms = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total_now, _ = weighted_sum(model, data)
        (-total_now).backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), options["maxGradientNorm"])))
        optimizer.step()
    save_file(gradients, folder / "gradients.safetensors")
    save_file({key: value.detach().clone() for key, value in model.named_parameters()}, folder / "stepped.safetensors")

    rotary = model.model.rotary_emb
    golden = {
        "versions": VERSIONS,
        "inverseFrequencies": rotary.inv_freq.double().tolist(),
        "attentionFactor": float(rotary.attention_scaling),
        "sequences": data,
        "logits": logits.tolist(),
        "weightedSum": total.item(),
        "logprobs": logprobs,
        "greedy": continuations,
        "gradientNorm": norm,
        "adamw": {"options": options, "gradientNorms": norms},
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


def write_rope():
    """inv_freq of configs in the older form (rope_theta, rope_scaling) and the newer (rope_parameters)."""
    sizes = {"hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1, "vocab_size": 8,
             "intermediate_size": 8, "max_position_embeddings": 4096}
    llama3 = {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 256}
    yarn = {"factor": 4.0, "original_max_position_embeddings": 1024}
    raw = {
        "nothing said": {"model_type": "llama", **sizes},
        "older theta alone": {"model_type": "qwen2", **sizes, "rope_theta": 1e6},
        "older null scaling": {"model_type": "llama", **sizes, "rope_theta": 5e5, "rope_scaling": None},
        "older linear, type": {"model_type": "llama", **sizes, "rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 2.5}},
        "older llama3": {"model_type": "llama", **sizes, "rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", **llama3}},
        "older yarn, type": {"model_type": "qwen2", **sizes, "rope_theta": 1e6, "rope_scaling": {"type": "yarn", **yarn}},
        "older yarn without original context": {
            "model_type": "qwen3", **sizes, "head_dim": 32, "rope_theta": 1e4, "rope_scaling": {"rope_type": "yarn", "factor": 2.0}},
        "newer default": {"model_type": "qwen3", **sizes, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
        "newer linear": {"model_type": "llama", **sizes, "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 3}},
        "newer llama3": {"model_type": "llama", **sizes, "rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, **llama3}},
        "newer llama3, wide head": {
            "model_type": "llama", **sizes, "head_dim": 64, "rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4, **llama3}},
        "newer yarn": {"model_type": "qwen3", **sizes, "head_dim": 64, "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e6, **yarn}},
        "yarn with betas": {"model_type": "qwen3", **sizes, "head_dim": 64, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1e4, **yarn, "beta_fast": 16, "beta_slow": 2}},
        "yarn, not truncated": {"model_type": "qwen3", **sizes, "head_dim": 64, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1e4, **yarn, "truncate": False}},
        "yarn with attention factor": {"model_type": "qwen3", **sizes, "head_dim": 64, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1e4, **yarn, "attention_factor": 1.25}},
        "yarn with both scales": {"model_type": "qwen3", **sizes, "head_dim": 64, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1e4, **yarn, "mscale": 0.8, "mscale_all_dim": 0.4}},
        "yarn with one scale": {"model_type": "qwen3", **sizes, "head_dim": 64, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1e4, **yarn, "mscale": 0.8}},
    }
    cases = []
    for name, settings in raw.items():
        arguments = copy.deepcopy(settings)
        config = AutoConfig.for_model(arguments.pop("model_type"), **arguments)
        rotary = AutoModelForCausalLM.from_config(config).model.rotary_emb
        cases.append({"name": name, "config": settings, "inverseFrequencies": rotary.inv_freq.double().tolist(),
                      "attentionFactor": float(rotary.attention_scaling)})
    (HERE / "rope.json").write_text(json.dumps({"versions": VERSIONS, "cases": cases}) + "\n")


def write_adamw():
    """Trajectories of one tensor: gradients given, parameter and moments after each step."""
    generator = torch.Generator().manual_seed(3)
    cases = []
    for options in [
        {"learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.01},
        {"learningRate": 1e-2, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.1},
        {"learningRate": 3e-4, "beta1": 0.0, "beta2": 0.5, "epsilon": 1e-3, "weightDecay": 0.0},
    ]:
        parameter = torch.randn(37, generator=generator).requires_grad_()
        case = {"options": options, "start": parameter.tolist(), "steps": []}
        optimizer = torch.optim.AdamW(
            [parameter], lr=options["learningRate"], betas=(options["beta1"], options["beta2"]), eps=options["epsilon"],
            weight_decay=options["weightDecay"], foreach=False,
        )
        for step in range(5):
            gradient = torch.randn(37, generator=generator) * 10.0 ** torch.randint(-6, 4, (37,), generator=generator)
            if step % 2 == 0:
                gradient[:3] = 0.0
            parameter.grad = gradient.clone()
            optimizer.step()
            state = optimizer.state[parameter]
            case["steps"].append({"gradient": gradient.tolist(), "parameter": parameter.tolist(),
                                  "first": state["exp_avg"].tolist(), "second": state["exp_avg_sq"].tolist()})
        cases.append(case)
    (HERE / "adamw.json").write_text(json.dumps({"versions": VERSIONS, "cases": cases}) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for model_name, model_settings in MODELS.items():
        write_model(model_name, model_settings)
    write_rope()
    write_adamw()
    print(json.dumps(VERSIONS))
