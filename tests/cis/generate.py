#!/usr/bin/env python3
"""Makes request bodies in the style of CIS services, with gold labels, and a clean twin of each.

usage: generate.py [--out FILE] [--count 2000] [--seed 1]

Rows have the form of a gold corpus: id, service, country_of_service, method, host, path, content_type, body, labels. A label has
`pointer` (JSON pointer, or "/field" of a form) or `start` and `end` (characters of the body), `category` (the coarse name that
scorers of several tools share), `code` (the category of this product). A twin has no labels and `twin_of`: it differs in a check
digit, in a key that says order or article, in a company instead of a person, or in a placeholder. Nobody's data: see values.py.
"""
import argparse, json, random, sys, urllib.parse
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

sys.path.insert(0, str(Path(__file__).parent))
from services import SERVICES
from values import K, Maker, T, V

# The names that are shared with other corpora; what is not here has no such name and is optional for their scorers.
COARSE = {'name': 'name', 'national_id': 'national_id', 'id_document': 'national_id', 'phone': 'phone', 'email': 'email', 'address': 'address', 'birth_date': 'birth_date', 'sex': 'gender',
          'payment.card': 'card', 'payment.iban': 'iban', 'online.ip': 'ip', 'online.device_id': 'device_id', 'online.cookie_id': 'device_id', 'online.account_id': 'online_id', 'messenger': 'online_id',
          'social': 'online_id', 'location': 'geo', 'photo': 'photo', 'health': 'health'}


def coarse(code):
    return COARSE.get(code) or COARSE.get(code.split('.')[0])


def label(code, part=False, **place):
    category = coarse(code)
    soft = {'optional': True} if part or category in (None, 'online_id', 'gender') else {}
    if part:
        soft['sub'] = 'part'
    return {**place, 'category': category or code, 'code': code, **soft}


def pointer(path):
    return ''.join('/' + str(step).replace('~', '~0').replace('/', '~1') for step in path)


def key_of(key, node, twin):
    return node.tk if twin and isinstance(node, V) and node.tk else key


def text_of(node, twin):
    """The text of a leaf, and its values with the characters at which they stand."""
    if isinstance(node, V):
        text = str(node.twin if twin else node.value)
        return text, [] if twin else [(node.code, 0, len(text), node.part)]
    if isinstance(node, T):
        if twin:
            return node.twin, []
        out, marks, rest = '', [], node.text
        for value in node.values:
            before, rest = rest.split('{}', 1)
            out += before
            marks.append((value.code, len(out), len(out) + len(str(value.value)), value.part))
            out += str(value.value)
        return out + rest, marks
    return str(node), []


class Json:
    def __init__(self, r, twin):
        self.labels, self.twin = [], twin
        self.style = {'ensure_ascii': r.random() < .2, 'indent': r.choice([None, None, 2]), 'separators': r.choice([None, (',', ':')])}
        if self.style['indent']:
            self.style['separators'] = None

    def body(self, node):
        return json.dumps(self.plain(node, []), **self.style)

    def plain(self, node, path, outer=None):
        if isinstance(node, dict):
            return {key_of(k, v, self.twin): self.plain(v, path + [k], outer) for k, v in node.items()}
        if isinstance(node, list):
            return [self.plain(v, path + [i], outer) for i, v in enumerate(node)]
        if isinstance(node, K):
            return json.dumps(self.plain(node.node, [], path), ensure_ascii=False)
        text, marks = text_of(node, self.twin)
        for code, _, _, part in marks:
            place = {'pointer': pointer(outer), 'inner': pointer(path)} if outer is not None else {'pointer': pointer(path)}
            self.labels.append(label(code, part, **place))
        if isinstance(node, V):
            return node.twin if self.twin else node.value
        return text if isinstance(node, T) else node


class Form:
    """Fields of a form: nested names in brackets."""

    def __init__(self, r, twin, multipart):
        self.labels, self.twin, self.multipart, self.r = [], twin, multipart, r

    def body(self, node):
        fields = []
        self.flatten(node, '', fields)
        if not self.multipart:
            return urllib.parse.urlencode(fields)
        edge = '----example7MA4YWxk'
        return ''.join(f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields) + f'--{edge}--\r\n'

    def flatten(self, node, name, fields):
        if isinstance(node, (dict, list)):
            for k, v in node.items() if isinstance(node, dict) else enumerate(node):
                key = key_of(k, v, self.twin)
                self.flatten(v, f'{name}[{key}]' if name else str(key), fields)
            return
        text, marks = text_of(node, self.twin)
        for code, _, _, part in marks:
            self.labels.append(label(code, part, pointer=pointer([name])))
        fields.append((name, text))


class Xml:
    def __init__(self, r, twin):
        self.labels, self.twin, self.out = [], twin, '<?xml version="1.0" encoding="UTF-8"?>' + r.choice(['', '\n'])

    def body(self, node):
        for k, v in node.items():
            self.element(k, v)
        return self.out

    def put(self, node, write):
        """Writes a leaf; escapes are avoided in values that hold marks, so that the characters stand as they are."""
        text, marks = text_of(node, self.twin)
        for code, start, end, part in marks:
            before, value = write(text[:start]), write(text[start:end])
            at = len(self.out) + len(before)
            self.labels.append(label(code, part, start=at, end=at + len(value)))
        self.out += write(text)

    def element(self, name, node):
        if isinstance(node, list):
            for it in node:
                self.element(name, it)
            return
        name = str(key_of(name, node, self.twin)).replace(' ', '_')
        self.out += f'<{name}'
        if not isinstance(node, dict):
            self.out += '>'
            self.put(node, escape)
        else:
            for k, v in node.items():
                if k.startswith('@'):
                    self.out += f' {k[1:]}="'
                    self.put(v, lambda it: quoteattr(it)[1:-1])
                    self.out += '"'
            self.out += '>'
            for k, v in node.items():
                if k == '#':
                    self.put(v, escape)
                elif not k.startswith('@'):
                    self.element(k, v)
        self.out += f'</{name}>'


class Csv:
    def __init__(self, r, twin):
        self.labels, self.twin, self.comma = [], twin, r.choice(',;')

    def body(self, rows):
        out = ''
        for row in rows:
            for i, cell in enumerate(row):
                out += self.comma if i else ''
                text, marks = text_of(cell, self.twin)
                quoted = any(c in text for c in ',;"')
                at = len(out) + quoted
                self.labels += [label(code, part, start=at + a, end=at + b) for code, a, b, part in marks]
                out += '"' + text.replace('"', '""') + '"' if quoted else text
            out += '\r\n'
        return out


def render(kind, tree, seed, twin):
    r = random.Random(seed)
    made, content = {'json': lambda: (Json(r, twin), 'application/json'), 'form': lambda: (Form(r, twin, False), 'application/x-www-form-urlencoded'),
                     'multipart': lambda: (Form(r, twin, True), 'multipart/form-data; boundary=----example7MA4YWxk'), 'xml': lambda: (Xml(r, twin), 'application/xml; charset=utf-8'),
                     'csv': lambda: (Csv(r, twin), 'text/csv; charset=utf-8')}[kind]()
    return made.body(tree), content, made.labels


def rows(count, seed):
    """`count` pairs: the services in turn, each body from a generator of its own, so that a new service moves none of the others."""
    for n in range(count):
        name, country, make = SERVICES[n % len(SERVICES)]
        number = n // len(SERVICES)
        host, path, kind, tree = make(Maker(random.Random(f'{seed}/{name}/{number}')))
        for twin in (False, True):
            body, content, labels = render(kind, tree, f'{seed}/{name}/{number}/style', twin)
            row = {'id': f'cis-{name}-{number}' + ('-twin' if twin else ''), 'service': name, 'country_of_service': country, 'method': 'POST', 'host': host, 'path': path, 'content_type': content, 'body': body, 'origin': 'generated', 'licence': 'as this project', 'labels': labels,
                   'contains_personal_data': bool(labels), 'verified': True, 'positives_checked': True}
            yield {**row, 'twin_of': f'cis-{name}-{number}'} if twin else row


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--out'); ap.add_argument('--count', type=int, default=2000); ap.add_argument('--seed', default='1')
    a = ap.parse_args()
    with open(a.out, 'w', encoding='utf8') if a.out else sys.stdout as f:
        for row in rows(a.count, a.seed):
            f.write(json.dumps(row, ensure_ascii=False) + '\n')


if __name__ == '__main__':
    main()
