"""The other side of metric-sinks.test.ts: reads event files with TensorBoard's own reader, and runs with MLflow's own client; prints JSON."""

import json
import sys


def tensorboard(folder):
    import logging

    import tensorboard
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.disable(logging.CRITICAL)
    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0})
    accumulator.Reload()
    read = {tag: [[event.step, str(event.value)] for event in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
    return {"version": tensorboard.version.VERSION, "read": read}


def mlflow(uri):
    import mlflow
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    runs = []
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            history = {
                key: [[metric.step, str(metric.value)] for metric in client.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            }
            runs.append(
                {
                    "experiment": experiment.name,
                    "name": run.info.run_name,
                    "status": run.info.status,
                    "params": run.data.params,
                    "history": history,
                }
            )
    return {"version": mlflow.__version__, "runs": runs}


try:
    print(json.dumps({"tensorboard": tensorboard, "mlflow": mlflow}[sys.argv[1]](sys.argv[2])))
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
