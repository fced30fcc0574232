"""lm-evaluation-harness beside ours, on the same items and the same answers; nothing but loopback is contacted.

  evaluation-lm-eval.py throughput URL ITEMS.jsonl CONCURRENCY MAX_TOKENS
      Its own client (local-chat-completions) and its own gsm8k task against a chat endpoint at URL. ITEMS holds {question, answer}.
      Warms up with four answers a connection, as the other side does.
  evaluation-lm-eval.py grade ANSWERS.jsonl
      Its own filters and metrics on given texts. ANSWERS holds {task, doc, text}; texts of one task are graded together.

Prints one JSON line, last.
"""

import json
import os
import sys
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
cache = tempfile.TemporaryDirectory(prefix="midcourse-lm-eval-")
os.environ["HF_HOME"] = cache.name

try:
    import importlib.metadata

    import lm_eval
    from lm_eval.api.model import LM
    from lm_eval.api.registry import get_model
    from lm_eval.tasks import TaskManager
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit(0)

version = importlib.metadata.version("lm_eval")
manager = TaskManager()


def task_on(name, file, **changes):
    """A task of its catalogue as it stands there, reading a local file instead of the hub: the path of its description."""
    description = {
        "include": str(manager.task_index[name].yaml_path),
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {"test": os.path.abspath(file)}},
        "test_split": "test",
        "validation_split": None,
        "training_split": None,
        "fewshot_split": None,
        "fewshot_config": None,
        "num_fewshot": 0,
        **changes,
    }
    path = os.path.join(cache.name, f"{name}.yaml")
    with open(path, "w", encoding="utf8") as out:
        json.dump(description, out)
    return path


def evaluate(model, task, **options):
    return lm_eval.simple_evaluate(
        model=model, tasks=[task], task_manager=manager, bootstrap_iters=0, verbosity="ERROR", **options
    )


def throughput(url, file, concurrency, max_tokens):
    model = get_model("local-chat-completions")(
        model="fixed-delay",
        base_url=f"{url}/chat/completions",
        num_concurrent=int(concurrency),
        tokenizer_backend=None,
        max_retries=1,
    )
    task = task_on("gsm8k", file, doc_to_text="{{question}}")
    options = {"apply_chat_template": True, "gen_kwargs": {"max_gen_toks": int(max_tokens)}}
    evaluate(model, task, limit=4 * int(concurrency), **options)
    asking = []
    generate = model.generate_until

    def measured(*args, **kwargs):
        started = time.perf_counter()
        try:
            return generate(*args, **kwargs)
        finally:
            asking.append(time.perf_counter() - started)

    model.generate_until = measured
    started, processor = time.perf_counter(), time.process_time()
    result = evaluate(model, task, **options)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    answers = result["n-samples"]["gsm8k"]["effective"]
    return {"seconds": seconds, "askingSeconds": sum(asking), "processorSeconds": processor, "answers": answers}


class Given(LM):
    """Answers each document with the text that was given for it."""

    def __init__(self, texts):
        super().__init__()
        self.texts = texts

    def generate_until(self, requests, disable_tqdm=False):
        return [self.texts[request.doc_id] for request in requests]

    def loglikelihood(self, requests, disable_tqdm=False):
        raise NotImplementedError

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        raise NotImplementedError


def grade(file):
    with open(file, encoding="utf8") as lines:
        rows = [json.loads(line) for line in lines]
    scores, seconds = [{} for _ in rows], {}
    for name in dict.fromkeys(row["task"] for row in rows):
        places = [place for place, row in enumerate(rows) if row["task"] == name]
        documents = os.path.join(cache.name, f"{name}.jsonl")
        with open(documents, "w", encoding="utf8") as out:
            out.writelines(json.dumps(rows[place]["doc"]) + "\n" for place in places)
        model = Given([rows[place]["text"] for place in places])
        started = time.perf_counter()
        result = evaluate(model, task_on(name, documents), log_samples=True)
        seconds[name] = time.perf_counter() - started
        for sample in result["samples"][name]:
            metric = sample["metrics"][0]
            scores[places[sample["doc_id"]]][sample["filter"]] = {
                "score": float(sample[metric]),
                "read": sample["filtered_resps"][0],
            }
    return {"scores": scores, "seconds": seconds}


result = throughput(*sys.argv[2:6]) if sys.argv[1] == "throughput" else grade(sys.argv[2])
print(json.dumps({"version": version, **result}))
