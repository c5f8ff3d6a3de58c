#!/usr/bin/env python3
"""Writes the rows that `tests/names/train.rs` learns from and is tested on, as JSON lines with spans in code points.

    NAMES_SOURCES=DIR-OF-PACKAGES SHEKARA_CORPORA=../shared/corpora tests/names/prepare.py DIR

Sources, each with a licence that allows it: KazNERD (CC BY 4.0), factRuEval-2016 (MIT) and presidio-research (MIT) as they stand in the
corpora's `personal-data/text.ndjson`; the templates and name lists of the PyPI package presidio-evaluator (MIT); names of FakerPHP (MIT) in
`personal-data/lists/names.ndjson`; sentences of our own in `messages.py`; and the lists of words that `lexicon.py` names. RuNNE states no
licence: it is only tested on.

DIR/lexicon  words of which is known what they are
DIR/train.*  everything, for the shipped model
DIR/fold.N.* four fifths to learn from and one fifth to test on, by row, for figures on what was not learnt
"""
import json
import os
import pathlib
import sys

import lexicon
import messages

TRAINABLE = {"kaznerd": "kk", "factrueval2016": "ru", "presidio-synth": "en"}
FOLDS = 5


def rows(path):
    with open(path, encoding="utf8") as file:
        for line in file:
            row = json.loads(line)
            names = [[it["start"], it["end"]] for it in row["spans"] if it["category"] == "name" and not it.get("optional")]
            yield row["set"], {"text": row["text"], "spans": names}


def write(path, items):
    with open(path, "w", encoding="utf8") as file:
        for it in items:
            file.write(json.dumps(it, ensure_ascii=False) + "\n")


def main():
    corpora = pathlib.Path(os.environ.get("SHEKARA_CORPORA", "../shared/corpora"))
    text = corpora / "personal-data" / "text.ndjson"
    if not text.exists():
        sys.exit(f"prepare: no corpora at {corpora}: set SHEKARA_CORPORA")
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    by_set = {}
    for name, row in rows(text):
        by_set.setdefault(name, []).append(row)
    generated = messages.generate(corpora / "personal-data" / "lists" / "names.ndjson")
    write(out / "train.generated", generated)
    (out / "lexicon").write_text("".join(it + "\n" for it in lexicon.lines()), encoding="utf8")
    for name in TRAINABLE:
        write(out / f"train.{name}", by_set[name])
        for fold in range(FOLDS):
            write(out / f"fold.{fold}.{name}.learn", [it for at, it in enumerate(by_set[name]) if at % FOLDS != fold])
            write(out / f"fold.{fold}.{name}.test", [it for at, it in enumerate(by_set[name]) if at % FOLDS == fold])
    write(out / "test.runne", by_set["runne"])
    for name, items in by_set.items():
        print(f"{name}: {len(items)} rows, {sum(len(it['spans']) for it in items)} names")
    print(f"generated: {len(generated)} rows")


if __name__ == "__main__":
    main()
