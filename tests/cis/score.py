#!/usr/bin/env python3
"""Runs `shekara scan --ndjson` over the generated CIS set and scores it.

usage: score.py [--count 2100] [--seed 1] [--errors N] [--floor]

A value counts as found when a finding of high confidence stands at its place with its category: the same pointer, or at least half of
the characters. Kinds of one family count as one (`name.given` and `name.full`, the parts of a document). A finding where no label
is counts against precision; a twin that holds one is flagged. Workplaces, websites,
account ids (of medium confidence alone) and free text are not counted. `--floor` fails
below the figures that this set reached, so that no change takes them back unnoticed.
"""
import argparse, collections, json, os, re, subprocess, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from generate import pointer, rows

SURE = ('high', 'certain')
UNCOUNTED = ('employment', 'website', 'free_text', 'online.user_agent', 'online.account_id')
# Recall and precision of all values, bodies with personal data that were seen, twins that were flagged.
FLOOR = {'recall': 0.93, 'precision': 0.98, 'documents': 0.955, 'twins': 0.03}


def family(code):
    head = code.split('.')[0]
    if head in ('online', 'payment', 'special'):
        return {'online.cookie_id': 'online.device_id'}.get(code, code)
    return head


def steps(path):
    """A normalized path (RFC 9535) as a JSON pointer."""
    if not path or not path.startswith('$'):
        return None
    out = []
    for name, at in re.findall(r"\[(?:'((?:[^'\\]|\\.)*)'|(\d+))\]", path):
        out.append(at or re.sub(r'\\(.)', r'\1', name))
    return pointer(out)


def scan(feed, binary):
    line = lambda row: json.dumps({k: row[k] for k in ('id', 'method', 'host', 'path', 'content_type', 'body')}, ensure_ascii=False)
    with tempfile.NamedTemporaryFile('w', suffix='.ndjson', encoding='utf8') as f:
        f.writelines(line(row) + '\n' for row in feed)
        f.flush()
        with open(f.name, encoding='utf8') as stdin:
            run = subprocess.run([binary, 'scan', '--ndjson'], stdin=stdin, stdout=subprocess.PIPE, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f'scan ended with {run.returncode}')
    return {it['id']: it for it in map(json.loads, run.stdout.decode().splitlines())}


def is_at(label, found):
    if 'pointer' in label:
        return label['pointer'] == steps(found.get('path')) and ('inner' not in label or label['inner'] == steps(found.get('inner')))
    if found.get('start') is None:
        return False
    both = min(label['end'], found['end']) - max(label['start'], found['start'])
    return both > 0 and (both * 2 >= label['end'] - label['start'] or both * 2 >= found['end'] - found['start'])


class Tally:
    def __init__(self):
        self.hit, self.missed, self.false = collections.Counter(), collections.Counter(), collections.Counter()
        self.seen = self.bodies = self.flagged = self.twins = 0
        self.errors = []

    def add(self, row, answer):
        found = [f for f in answer['findings'] if f['confidence'] in SURE and f.get('part', 'body') == 'body' and not f['category'].startswith(UNCOUNTED)]
        if 'twin_of' in row:
            self.twins += 1
            self.flagged += bool(found)
            self.errors += [('twin', row, f) for f in found]
            return
        self.bodies += 1
        self.seen += bool(found)
        for f in found:
            if not any(is_at(it, f) and family(it['code']) == family(f['category']) for it in row['labels']):
                self.false[family(f['category'])] += 1
                self.errors.append(('false', row, f))
        for it in row['labels']:
            if it['code'].startswith(UNCOUNTED) or it.get('sub') == 'part':
                continue
            ok = any(is_at(it, f) and family(it['code']) == family(f['category']) for f in found)
            (self.hit if ok else self.missed)[family(it['code'])] += 1
            if not ok:
                self.errors.append(('missed', row, it))

    def report(self):
        print(f'{"family":20}{"gold":>7}{"found":>7}{"missed":>7}{"false":>7}{"recall":>8}')
        for code in sorted(set(self.hit) | set(self.missed) | set(self.false), key=lambda it: -(self.hit[it] + self.missed[it])):
            gold = self.hit[code] + self.missed[code]
            print(f'{code:20}{gold:7}{self.hit[code]:7}{self.missed[code]:7}{self.false[code]:7}' + (f'{self.hit[code] / gold:8.3f}' if gold else ''))
        hit, missed, false = (sum(it.values()) for it in (self.hit, self.missed, self.false))
        recall, precision = hit / (hit + missed), hit / (hit + false)
        print(f'all: precision {precision:.3f}, recall {recall:.3f}, F1 {2 * precision * recall / (precision + recall):.3f}; bodies seen {self.seen}/{self.bodies} = {self.seen / self.bodies:.4f}; '
              f'twins flagged {self.flagged}/{self.twins} = {self.flagged / self.twins:.4f}')
        return {'recall': recall, 'precision': precision, 'documents': self.seen / self.bodies, 'twins': self.flagged / self.twins}


def show(errors, count):
    groups = collections.defaultdict(list)
    for kind, row, it in errors:
        where = it.get('pointer') or it.get('path') or ''
        groups[kind, row['service'], it.get('code') or it['category'], re.sub(r'\d+', '0', where)].append((row, it))
    for (kind, service, code, where), all_of in sorted(groups.items(), key=lambda it: -len(it[1]))[:count]:
        row, it = all_of[0]
        part = row['body'][it['start']:it['end']] if it.get('start') is not None else ''
        print(f'{len(all_of):4} {kind:6} {service:16} {code:18} {where:50} {part!r} {row["id"]} {it.get("detector", "")}')


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--count', type=int, default=2100); ap.add_argument('--seed', default='1'); ap.add_argument('--errors', type=int, default=0); ap.add_argument('--floor', action='store_true')
    a = ap.parse_args()
    feed = list(rows(a.count, a.seed))
    answers = scan(feed, os.environ.get('SHEKARA_BIN', 'target/release/shekara'))
    tally = Tally()
    for row in feed:
        tally.add(row, answers[row['id']])
    figures = tally.report()
    show(tally.errors, a.errors)
    if a.floor:
        low = [f'{k} {figures[k]:.4f}, asked {v}' for k, v in FLOOR.items() if (figures[k] > v if k == 'twins' else figures[k] < v)]
        if low:
            sys.exit('worse than before: ' + '; '.join(low))
        print('CIS set: all figures at or above their floors')


if __name__ == '__main__':
    main()
