"""Writes the Parquet files beside it: a few made-up rows in the shapes that benchmarks have on the hub. Needs pyarrow."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

here = Path(__file__).parent


def write(name, rows, schema, compression, **options):
    table = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(table, here / name, compression=compression, **options)


# Options as a record of lists, keys as letters and as digits (ARC, CommonsenseQA).
exam = pa.schema(
    [
        ("id", pa.string()),
        ("question", pa.string()),
        ("choices", pa.struct([("text", pa.list_(pa.string())), ("label", pa.list_(pa.string()))])),
        ("answerKey", pa.string()),
    ]
)
exam_rows = [
    {
        "id": f"exam-{number}",
        "question": f"Which pot holds {number} litres – or none?",
        "choices": {"text": ["red", "blue", "grün", "pink"], "label": labels},
        "answerKey": key,
    }
    for number, (labels, key) in enumerate([(list("ABCD"), "B"), (list("1234"), "3"), (list("ABCD"), "D")])
]
write("exam-snappy.parquet", exam_rows, exam, "snappy")
write("exam-zstd.parquet", exam_rows, exam, "zstd", row_group_size=2)

# Whole numbers of 64 bits, plain lists, a column without values (MMLU).
subject = pa.schema(
    [
        ("question", pa.string()),
        ("subject", pa.string()),
        ("choices", pa.list_(pa.string())),
        ("answer", pa.int64()),
        ("note", pa.string()),
    ]
)
write(
    "subjects-zstd.parquet",
    [
        {"question": f"{name} {number}?", "subject": name, "choices": ["one", "two", "three", "four"], "answer": number % 4}
        for name in ("pottery", "weaving")
        for number in range(6)
    ],
    subject,
    "zstd",
)

# Records in records and lists of lists (DROP).
reference = [
    ("number", pa.string()),
    ("date", pa.struct([("day", pa.string()), ("month", pa.string()), ("year", pa.string())])),
    ("spans", pa.list_(pa.string())),
]
no_date = {"day": "", "month": "", "year": ""}
passages = pa.schema(
    [
        ("passage", pa.string()),
        ("query_id", pa.string()),
        ("question", pa.string()),
        ("answer", pa.struct(reference)),
        (
            "validated_answers",
            pa.struct([(name, pa.list_(kind)) for name, kind in reference]),
        ),
    ]
)
write(
    "passages-zstd.parquet",
    [
        {
            "passage": "Ann sold 3 pots on 2 May 1990 and Bob sold 4.",
            "query_id": "q1",
            "question": "How many pots were sold?",
            "answer": {"number": "7", "date": no_date, "spans": []},
            "validated_answers": {"number": ["", "7"], "date": [no_date, no_date], "spans": [["seven pots"], []]},
        },
        {
            "passage": "Ann sold 3 pots on 2 May 1990 and Bob sold 4.",
            "query_id": "q2",
            "question": "Who sold pots?",
            "answer": {"number": "", "date": no_date, "spans": ["Ann", "Bob"]},
            "validated_answers": {"number": [], "date": [], "spans": []},
        },
        {
            "passage": "Ann sold 3 pots on 2 May 1990 and Bob sold 4.",
            "query_id": "q3",
            "question": "When did Ann sell pots?",
            "answer": {"number": "", "date": {"day": "2", "month": "May", "year": "1990"}, "spans": []},
            "validated_answers": {"number": [""], "date": [{"day": "", "month": "", "year": "1990"}], "spans": [[]]},
        },
    ],
    passages,
    "zstd",
)
