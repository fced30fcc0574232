"""Reads exported logs with the programs they are meant for and prints what those saw, as one JSON object."""

import glob
import hashlib
import json
import sys


def sha256(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def inspect_logs(folder):
    import inspect_ai
    from inspect_ai.log import read_eval_log

    logs = []
    for file in sorted(glob.glob(folder + "/*.json")):
        log = read_eval_log(file)
        header = read_eval_log(file, header_only=True)
        sample = log.samples[0]
        logs.append(
            {
                "task": header.eval.task,
                "solver": header.eval.solver,
                "status": header.status,
                "samples": len(log.samples),
                "epochs": sorted({entry.epoch for entry in log.samples}),
                "accuracy": header.results.scores[0].metrics["mean"].value,
                "mean": sum(entry.scores["accuracy"].as_float() for entry in log.samples) / len(log.samples),
                "usage": {name: usage.output_tokens for name, usage in header.stats.model_usage.items()},
                "events": [type(event).__name__ for event in sample.events],
                "completion": sample.output.completion,
                "errors": sum(entry.error is not None for entry in log.samples),
            }
        )
    return {"version": inspect_ai.__version__, "logs": logs}


def lm_eval_files(folder):
    from importlib.metadata import version

    from lm_eval.result_schema import EvalResults, SampleResult

    files = []
    for file in sorted(glob.glob(folder + "/*/samples_*.jsonl")):
        with open(file, encoding="utf-8") as lines:
            samples = [json.loads(line) for line in lines]
        expected = set(SampleResult.__annotations__)
        for sample in samples:
            document = json.dumps(sample["doc"], indent=2, ensure_ascii=False)
            assert expected <= set(sample), expected - set(sample)
            assert set(sample) - expected == set(sample["metrics"])
            assert sample["doc_hash"] == sha256(document), sample["doc_id"]
            assert sample["prompt_hash"] == sha256(sample["arguments"]["gen_args_0"]["arg_0"])
            assert sample["target_hash"] == sha256(sample["target"])
        strict = [sample for sample in samples if sample["filter"] == "strict-match"]
        files.append({"file": file, "samples": len(samples), "strict": len(strict), "repeats": len(samples[0]["resps"][0])})
    unknown = set()
    for file in glob.glob(folder + "/*/results_*.json"):
        with open(file, encoding="utf-8") as text:
            unknown |= set(json.load(text)) - set(EvalResults.__annotations__)
    return {"version": version("lm_eval"), "files": files, "unknown": sorted(unknown)}


try:
    print(json.dumps({"inspect": inspect_logs, "lm_eval": lm_eval_files}[sys.argv[1]](sys.argv[2])))
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
