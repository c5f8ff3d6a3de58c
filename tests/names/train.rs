//! Learns the weights of the name tagger: `cargo run --release --example train-names -- --train FILE… [--test FILE…] [--out MODEL]`.
//!
//! A file has a JSON object a line: `{"text": "…", "spans": [[from, to], …]}`, in code points, as `tests/names/prepare.py` writes them.
//! An averaged structured perceptron; the order of the rows is shuffled by a fixed seed, so the same rows give the same model to the bit.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool of the developers: bad input ends it"
)]

use std::{collections::BTreeMap, fs, ops::Range};

use shekara::inspect::detect::prose::{
    self,
    feature::{FEATURES, features, is_candidate},
    hash::stem_of,
    model::{
        COMMON, GIVEN, HEADER_BYTES, MAGIC, Model, NO_NAME, PLACE, SURNAME, Scores, TAGS,
        Transitions, cell, decode, mark, slot,
    },
    token::{Token, tokens},
};

/// Slots of the table, as a power of two.
const BITS: u32 = 19;
/// Cells of the lexicon, as a power of two.
const LEXICON_BITS: u32 = 21;
/// A word that stands so often in small letters is one that is written small.
const SMALL_MIN: usize = 2;
/// Passes over the rows.
const PASSES: usize = 8;
/// One weight in so many may be cut to the range of a byte.
const CUT: usize = 5_000;

/// A text with the names in it.
struct Row {
    text: String,
    /// In bytes.
    names: Vec<Range<usize>>,
}

/// A row as the model sees it.
struct Sample {
    features: Vec<Option<[u64; FEATURES]>>,
    tags: Vec<u8>,
}

fn main() {
    let mut files: [Vec<String>; 4] = Default::default();
    let mut to = 0;
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--train" => to = 0,
            "--test" => to = 1,
            "--out" => to = 2,
            "--lexicon" => to = 3,
            _ => files[to].push(word),
        }
    }
    let number = |name: &str, otherwise: f32| {
        std::env::var(name).map_or(otherwise, |it| it.parse().unwrap())
    };
    let (bias, spread) = (number("BIAS", 0.0), number("SPREAD", 0.0));
    let rows: Vec<Row> = files[0].iter().flat_map(|it| read(it)).collect();
    let lexicon = lexicon(&files[3], &rows);
    let untaught = Learner::default().write(bias, spread, &lexicon);
    let lexicon_only = Model::read(&untaught).unwrap();
    let samples: Vec<Sample> = rows.iter().map(|it| sample(it, &lexicon_only)).collect();
    let bytes = Learner::default()
        .learn(&samples)
        .write(bias, spread, &lexicon);
    println!("{} rows, {} bytes", samples.len(), bytes.len());
    let model = Model::read(&bytes).unwrap();
    for file in &files[1] {
        test(file, &model, number("LEAST", f32::NEG_INFINITY));
    }
    for file in &files[2] {
        fs::write(file, &bytes).unwrap();
    }
}

fn read(file: &str) -> Vec<Row> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(row).collect()
}

fn row(line: &str) -> Row {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = value["text"].as_str().unwrap().to_owned();
    let mut starts: Vec<usize> = text.char_indices().map(|it| it.0).collect();
    starts.push(text.len());
    let at = |it: &serde_json::Value| starts[usize::try_from(it.as_u64().unwrap()).unwrap()];
    let spans = value["spans"].as_array().unwrap();
    let names = spans.iter().map(|it| at(&it[0])..at(&it[1])).collect();
    Row { text, names }
}

/// The lexicon: files of `kind word` a line, and the words that stand in small letters in the rows to learn from.
fn lexicon(files: &[String], rows: &[Row]) -> Vec<u8> {
    let mut known: BTreeMap<u64, u8> = BTreeMap::new();
    for file in files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let (kind, word) = line.split_once(' ').unwrap();
            let known = known.entry(stem_of(word)).or_default();
            *known = match kind {
                "given" => *known | GIVEN,
                "surname" => *known | SURNAME,
                "common" => *known | COMMON,
                "place" => *known | PLACE,
                "city" => (*known | PLACE) & !SURNAME,
                _ => (*known | PLACE) & !(SURNAME | GIVEN),
            };
        }
    }
    let mut small: BTreeMap<u64, usize> = BTreeMap::new();
    for row in rows {
        for it in tokens(&row.text).iter().filter(|it| it.is_small()) {
            *small.entry(it.stem()).or_default() += 1;
        }
    }
    for (stem, _) in small.iter().filter(|it| *it.1 >= SMALL_MIN) {
        *known.entry(*stem).or_default() |= COMMON;
    }
    let mut out = vec![0; 1 << LEXICON_BITS];
    let mut lost = 0;
    for (stem, flags) in &known {
        let cell = &mut out[cell(*stem, 1 << LEXICON_BITS)];
        if *cell == 0 {
            *cell = mark(*stem) << 4 | flags;
        } else {
            lost += 1;
        }
    }
    println!("{} stems, {lost} lost", known.len());
    out
}

fn sample(row: &Row, model: &Model<'_>) -> Sample {
    let mut tokens = tokens(&row.text);
    for it in &mut tokens {
        model.look_up(it);
    }
    let has_capitals = tokens.iter().any(|it| it.has_capital());
    let mut tags = vec![0; tokens.len()];
    for name in &row.names {
        let mut is_first = true;
        for (it, tag) in tokens.iter().zip(&mut tags) {
            let is_inside = it.range.start >= name.start && it.range.end <= name.end;
            let is_mark = it.length == 0;
            if is_inside && !(is_first && is_mark) {
                *tag = if is_first { 1 } else { 2 };
                is_first = false;
            }
        }
    }
    let features: Vec<_> = (0..tokens.len())
        .map(|at| seen(&tokens, at, has_capitals))
        .collect();
    // What cannot be found is not to be learnt: it would only wear out the transitions.
    for (tag, seen) in tags.iter_mut().zip(&features) {
        if seen.is_none() {
            *tag = 0;
        }
    }
    Sample { features, tags }
}

fn seen(tokens: &[Token], at: usize, has_capitals: bool) -> Option<[u64; FEATURES]> {
    is_candidate(tokens, at, has_capitals).then(|| features(tokens, at))
}

/// Weights under way, with the sums of their past for the average.
struct Learner {
    weights: Vec<Scores>,
    sums: Vec<Scores>,
    transitions: Transitions,
    transition_sums: Transitions,
    steps: f32,
}

impl Default for Learner {
    fn default() -> Self {
        Self {
            weights: vec![[0.0; TAGS]; 1 << BITS],
            sums: vec![[0.0; TAGS]; 1 << BITS],
            transitions: Transitions::default(),
            transition_sums: Transitions::default(),
            steps: 1.0,
        }
    }
}

impl Learner {
    fn learn(mut self, samples: &[Sample]) -> Self {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        let mut seed = 20_261_125_u64;
        for _ in 0..PASSES {
            for at in (1..order.len()).rev() {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let other = usize::try_from(seed >> 33).unwrap() % (at + 1);
                order.swap(at, other);
            }
            for at in &order {
                self.see(&samples[*at]);
            }
        }
        self.average();
        self
    }

    fn see(&mut self, sample: &Sample) {
        let scores: Vec<Scores> = sample
            .features
            .iter()
            .map(|it| self.scores(it.as_ref()))
            .collect();
        let guess = decode(&scores, &self.transitions);
        self.steps += 1.0;
        if guess == sample.tags {
            return;
        }
        let (mut guess_before, mut tag_before) = (TAGS, TAGS);
        for ((features, tag), guessed) in sample.features.iter().zip(&sample.tags).zip(&guess) {
            let (tag, guessed) = (usize::from(*tag), usize::from(*guessed));
            if tag != guessed {
                for hash in features.iter().flatten() {
                    let slot = slot(*hash, BITS);
                    self.move_weight(slot, tag, 1.0);
                    self.move_weight(slot, guessed, -1.0);
                }
            }
            if tag != guessed || tag_before != guess_before {
                self.move_transition(tag_before, tag, 1.0);
                self.move_transition(guess_before, guessed, -1.0);
            }
            (guess_before, tag_before) = (guessed, tag);
        }
    }

    fn scores(&self, features: Option<&[u64; FEATURES]>) -> Scores {
        features.map_or(NO_NAME, |it| {
            let mut out = [0.0; TAGS];
            for hash in it {
                for (sum, weight) in out.iter_mut().zip(self.weights[slot(*hash, BITS)]) {
                    *sum += weight;
                }
            }
            out
        })
    }

    fn move_weight(&mut self, slot: usize, tag: usize, by: f32) {
        self.weights[slot][tag] += by;
        self.sums[slot][tag] += by * self.steps;
    }

    fn move_transition(&mut self, from: usize, to: usize, by: f32) {
        self.transitions[from][to] += by;
        self.transition_sums[from][to] += by * self.steps;
    }

    fn average(&mut self) {
        let steps = self.steps;
        let mean = |now: &mut Scores, sums: &Scores| {
            for (it, sum) in now.iter_mut().zip(sums) {
                *it -= sum / steps;
            }
        };
        for (now, sums) in self.weights.iter_mut().zip(&self.sums) {
            mean(now, sums);
        }
        for (now, sums) in self.transitions.iter_mut().zip(&self.transition_sums) {
            mean(now, sums);
        }
    }

    fn write(&self, bias: f32, spread: f32, lexicon: &[u8]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(u8::try_from(BITS).unwrap());
        let mut sizes: Vec<f32> = self.pairs().map(f32::abs).filter(|it| *it > 0.01).collect();
        sizes.sort_by(f32::total_cmp);
        let largest = sizes.iter().rev().nth(sizes.len() / CUT).unwrap_or(&1.0);
        let numbers = [127.0 / largest, bias, spread];
        for it in numbers.iter().chain(self.transitions.iter().flatten()) {
            out.extend(it.to_le_bytes());
        }
        assert_eq!(out.len(), HEADER_BYTES);
        for it in self.pairs() {
            #[expect(clippy::cast_possible_truncation, reason = "cut to the range before")]
            let byte = (it * numbers[0]).round().clamp(-127.0, 127.0) as i8;
            out.extend(byte.to_le_bytes());
        }
        out.extend(lexicon);
        out
    }

    /// The weights above *no name*, slot by slot.
    fn pairs(&self) -> impl Iterator<Item = f32> {
        let pairs = self.weights.iter();
        pairs.flat_map(|[none, begins, goes_on]| [begins - none, goes_on - none])
    }
}

/// Prints precision and recall, overlap of half of either counting as found.
fn test(file: &str, model: &Model<'_>, least: f32) {
    let (mut hits, mut missed, mut wrong) = (0, 0, 0);
    for row in read(file) {
        let found: Vec<Range<usize>> = prose::names_by(model, &row.text)
            .into_iter()
            .filter(|it| it.margin >= least)
            .map(|it| it.range)
            .collect();
        let is_met = |it: &Range<usize>, others: &[Range<usize>]| {
            others.iter().any(|other| {
                let overlap = it
                    .end
                    .min(other.end)
                    .saturating_sub(it.start.max(other.start));
                overlap > 0 && (overlap * 2 >= it.len() || overlap * 2 >= other.len())
            })
        };
        let met = row.names.iter().filter(|it| is_met(it, &found)).count();
        hits += met;
        missed += row.names.len() - met;
        wrong += found.iter().filter(|it| !is_met(it, &row.names)).count();
    }
    let share = |of: usize| hits as f64 / (hits + of).max(1) as f64;
    println!(
        "{file}: precision {:.3} recall {:.3} ({hits} found, {missed} missed, {wrong} wrong)",
        share(wrong),
        share(missed)
    );
}
