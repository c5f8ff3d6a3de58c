#!/usr/bin/env python3
"""Runs `shekara scan --ndjson` over the labelled corpora and fails below the figures that were reached.

The corpora are no part of the repository: they are looked for in the folder that `SHEKARA_CORPORA` names, else in `../shared/corpora`;
without them nothing is checked, and that is said loudly. They bring their scorer (`run_scan.py`). The binary is `SHEKARA_BIN`.
Floors lie a little under what is reached, so that a change of a word here and there passes and a fall does not.

usage: floors.py
"""
import json, os, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get('SHEKARA_CORPORA') or ROOT / '../shared/corpora').resolve()
BINARY = Path(os.environ.get('SHEKARA_BIN', 'target/release/shekara')).resolve()
LEAST, MOST = 'at least', 'at most'


def micro(figures):
    """F1 over all values."""
    hits, false, missed = (sum(it[k] for it in figures['categories'].values()) for k in ('tp', 'fp', 'fn'))
    return 2 * hits / (2 * hits + false + missed)


def name(figures):
    return figures['categories']['name']['f1']


def documents(figures):
    """Share of the documents with personal data in which some was found."""
    return figures['doc_recall']


def flagged(figures):
    """Share of the clean documents in which something was found."""
    return figures['clean_flagged_rate']


# Corpus, what the scorer is asked, and of each figure its bound.
FLOORS = [
    ('api', ['--score-args=--json --verified-only'], [(micro, LEAST, 0.97), (documents, LEAST, 0.99)]),
    # The goal for clean bodies is 1 %.
    ('api', ['--score-args=--json'], [(micro, LEAST, 0.96), (documents, LEAST, 0.99), (flagged, MOST, 0.014)]),
    # Names were not filtered out of these documents.
    ('negative', ['--score-args=--json', '--ignore', 'name'], [(flagged, MOST, 0.01)]),
    ('text', ['--score-args=--json'], [(name, LEAST, 0.96), (micro, LEAST, 0.91), (flagged, MOST, 0.002)]),
]


def score(corpus, arguments):
    command = [sys.executable, 'run_scan.py', '--bin', str(BINARY), f'personal-data/{corpus}.ndjson', *arguments]
    run = subprocess.run(command, cwd=CORPORA, stdout=subprocess.PIPE, check=False, text=True)
    if run.returncode != 0:
        sys.exit(f'{corpus}: the scorer ended with {run.returncode}')
    return json.loads(run.stdout[run.stdout.index('{'):])['total']


def main():
    if not (CORPORA / 'run_scan.py').is_file():
        print(f'\n*** NOT CHECKED: no labelled corpora in {CORPORA}. Name their folder with SHEKARA_CORPORA. ***\n')
        return
    fallen = []
    for corpus, arguments, bounds in FLOORS:
        figures = score(corpus, arguments)
        for figure, side, bound in bounds:
            reached = figure(figures)
            line = f'{corpus} ({" ".join(arguments[0].split()[1:]) or "all"}) {figure.__name__}: {reached:.4f}, {side} {bound}'
            print(line)
            if reached < bound if side == LEAST else reached > bound:
                fallen.append(line)
    if fallen:
        sys.exit('worse than before:\n' + '\n'.join(fallen))
    print('corpora: all figures within their bounds')


if __name__ == '__main__':
    main()
