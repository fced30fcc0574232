"""Makes rouge.json with Google's rouge_score (pip install rouge-score): python rouge.py [xsum.jsonl] > rouge.json

The words are stemmed by NLTK as rouge_score does it. Of XSum only item numbers and figures are kept: the reference summary is compared with
the first 200 characters of its document.
"""
import json, sys
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

stemmer = PorterStemmer()
words = """caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling hissing
fizzed failing filing happy sky relational conditional rational valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli
vietnamization predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti sensibiliti triplicate formative
formalize electriciti electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement
adjustment dependent adoption homologou communism activate angulariti homologous effective bowdlerize probate rate cease controll roll
skies dying lying tying news innings outings cannings howe proceed exceed succeed flies dies mules denied died agreed owned humbled meeting
stating siezing itemization sensational traditional reference colonizer plotted enjoy enjoyed saying buying biology theology generously fully
carefully hopefully totally radically ability abilities police policies university universities running runner ran government ministers said
yesterday children people countries political economically organisation organizations year2016 2016 covid19 possessed bless kissed buzzes
oed ed ing sed using used useful uses eying being seeing fleeing agreeing dyed tied tie lie lied skied spied cried queues queued
y by say says syzygy rhythm yellow yes toyed ally allied allies really finally equally usually apologise apologies apology technological""".split()
texts = [
    ["the cat sat on the mat", "the cat was sitting on the mat"],
    ["the cat sat on the mat", ""],
    ["", ""],
    ["Ministers have agreed new policies on universities.", "A new university policy was agreed by the minister, it is said."],
    ["a b c d e f", "f e d c b a"],
    ["to be or not to be", "be be be to to or"],
    ["Fire crews were called at 10:30 GMT on 5 May.", "Crews fought the fire, which began at 10.30, on May 5."],
    ["Caf\u00e9 owners\u2019 protest \u2013 in Z\u00fcrich", "cafe owners protested in Zurich"],
    ["one two three one two three", "one two three"],
]
scorers = [rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=flag) for flag in (True, False)]
scores = lambda scorer, reference, candidate: {name: list(value) for name, value in scorer.score(reference, candidate).items()}
result = {
    "stems": {word: stemmer.stem(word) for word in words},
    "texts": [{"reference": r, "candidate": c, "stemmed": scores(scorers[0], r, c), "plain": scores(scorers[1], r, c)} for r, c in texts],
    "xsum": [],
}
if len(sys.argv) > 1:
    for index, line in enumerate(open(sys.argv[1], encoding="utf-8")):
        if index >= 60:
            break
        row = json.loads(line)
        found = scores(scorers[0], row["answer"], row["question"][:200])
        result["xsum"].append({"index": index, **{name: round(value[2], 12) for name, value in found.items()}})
json.dump(result, sys.stdout, indent=1, ensure_ascii=True)
