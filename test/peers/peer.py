"""The other side of transformers.test.ts: one JSON request a line on standard input, one JSON answer a line on standard output."""

import json
import os
import sys

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM


def load(folder, adapter=None):
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    return model.eval(), info


def load_named(adapter):
    """An adapter with the base that its adapter_config.json names, seen from the adapter's folder."""
    from peft import AutoPeftModelForCausalLM

    before = os.getcwd()
    os.chdir(adapter)
    try:
        return AutoPeftModelForCausalLM.from_pretrained(".", dtype=torch.float32).eval(), {}
    finally:
        os.chdir(before)


def versions(_):
    try:
        import peft

        peft_version = peft.__version__
    except ImportError:
        peft_version = None
    return {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft_version}


def logprobs(request):
    """log p of every token after the first, of each sequence; with what the loader complained about."""
    named = "folder" not in request
    model, info = load_named(request["adapter"]) if named else load(request["folder"], request.get("adapter"))
    result = []
    for ids in request["sequences"]:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0, :-1]
        result.append(torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist())
    complaints = {key: sorted(map(str, value)) for key, value in info.items() if value}
    return {"logprobs": result, "complaints": complaints, "dtypes": sorted({str(p.dtype) for p in model.parameters()})}


def create(request):
    """A random model saved by transformers in the given dtype, in shards when a size is given."""
    torch.manual_seed(request["seed"])
    settings = dict(request["config"])
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(settings.pop("model_type"), **settings))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.to(getattr(torch, request["dtype"]))
    model.save_pretrained(request["folder"], **({"max_shard_size": request["shard"]} if "shard" in request else {}))
    return {}


def create_adapter(request):
    """A random adapter saved by PEFT."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(request["seed"])
    model, _ = load(request["folder"])
    config = LoraConfig(
        r=request["rank"], lora_alpha=request["alpha"], target_modules=request["targets"], task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(request["adapter"])
    return {}


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    commands = {"versions": versions, "logprobs": logprobs, "create": create, "create-adapter": create_adapter}
    for line in sys.stdin:
        given = json.loads(line)
        try:
            answer = commands[given["command"]](given)
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)
