//! Rows whose columns are named once: `{"columns": ["first_name", "email"], "rows": [["Aru", "a@example.org"]]}`.
//!
//! Names hold for the object in which their list stands and for what is inside it; a first row of names holds for the rows behind it.
//! A row that begins with a name (`["email", "a@example.org"]`) is a pair. What is known only when the rows have been read (names
//! behind them, the second of two pairs) is kept by the number of the container that it is said of, and the document is walked once
//! more.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    super::{
        super::{
            detect::{KeyHint, ValueKind},
            selector::Track,
        },
        pair::{LABEL_MAX, PairRole},
        reading::{NodeKind, Reading, Scan},
    },
    Leaf, Walk,
    place::{Frame, Place},
    scalar::undo,
};

/// Members of which each element may be an object that holds the list of its values.
const ROWS: &[&str] = &["data", "entries", "items", "records", "rows"];

/// What a container is in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Part {
    /// A row of which the first value names the second.
    Attribute,
    /// The list of such rows.
    Attributes,
    /// An object that holds one value of a row: `{"v": …}`.
    Cell,
    /// The first row of a list, which may be names.
    Head,
    /// A list of values, as long as no row stands in it; whether objects in it are cells.
    List {
        is_of_cells: bool,
    },
    /// A row of a list whose columns have no names.
    Loose,
    /// An object that describes a column.
    Name,
    /// A list of names.
    Names,
    #[default]
    None,
    Row,
}

/// Whether the rows of a list are pairs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Pairs {
    /// The first is one, if there is no other.
    Likely,
    /// Each may be.
    Maybe,
    #[default]
    No,
}

/// What an open container is in a table, and what is known of columns in it.
#[derive(Debug, Default)]
pub(super) struct Columns {
    part: Part,
    names: Option<Rc<[KeyHint]>>,
    /// The names stand in the container itself, not around it.
    is_named_here: bool,
    /// Names that are being read.
    heads: Vec<KeyHint>,
    pairs: Pairs,
    /// Number of the container in the order of the document.
    number: usize,
    /// Text stood in rows whose columns have no names.
    has_unnamed: bool,
}

impl Columns {
    /// Whether a scalar in the container says something of the table.
    pub(super) const fn is_noted(&self) -> bool {
        !matches!(self.part, Part::None | Part::Cell)
    }

    /// What the node of the container is, if not what its brackets say: of a row its values are said, and a cell is one of them.
    pub(super) const fn kind(&self) -> Option<NodeKind> {
        match self.part {
            Part::Attributes | Part::Row => Some(NodeKind::Object),
            Part::List { .. } if self.names.is_some() => Some(NodeKind::Object),
            Part::Attribute | Part::Cell => Some(NodeKind::Scalar),
            Part::Head
            | Part::List { .. }
            | Part::Loose
            | Part::Name
            | Part::Names
            | Part::None => None,
        }
    }

    /// Whether it is an object that holds one value, which its column names.
    pub(super) const fn is_cell(&self) -> bool {
        matches!(self.part, Part::Cell)
    }

    /// What is said of value number `count`, from one on.
    pub(super) fn said(&self, count: u64) -> Option<KeyHint> {
        let at = usize::try_from(count.checked_sub(1)?).ok()?;
        let said = match self.part {
            Part::List { .. } | Part::Row => self.names.as_ref()?.get(at),
            Part::Attribute if at == 1 => self.heads.first(),
            Part::Attribute
            | Part::Attributes
            | Part::Cell
            | Part::Head
            | Part::Loose
            | Part::Name
            | Part::Names
            | Part::None => None,
        };
        said.copied().filter(|it| *it != KeyHint::default())
    }
}

/// What a first pass found of a container too late.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// Its columns.
    Columns(Rc<[KeyHint]>),
    /// Its rows are pairs.
    Pairs,
}

/// The same by the number of the container.
pub(crate) type Late = BTreeMap<usize, Fact>;

/// Runs `pass` over a document, and once more where it found what it needed before.
pub(crate) fn passes<'p, S: Scan, T>(
    reading: &mut Reading<'p, S>,
    track: Option<Track<'p>>,
    mut pass: impl FnMut(&mut Reading<'p, S>, Option<Track<'p>>, Late) -> (Late, T),
) -> T {
    let mark = reading.mark();
    let again = track.clone();
    let (late, end) = pass(reading, track, Late::default());
    if late.is_empty() || reading.is_halted {
        return end;
    }
    reading.back_to(&mark);
    pass(reading, again, late).1
}

impl<S: Scan> Walk<'_, '_, S> {
    /// What the container that is about to be opened is in a table. The one around it has counted it.
    pub(super) fn columns(&mut self, is_object: bool) -> Columns {
        let number = self.opened;
        self.opened += 1;
        let mut columns = Columns {
            number,
            ..Columns::default()
        };
        let is_of_cells = self.is_of_cells();
        let role = self.key.pair;
        if let Some(around) = self.frames.last_mut()
            && !around.own.is_criteria
        {
            columns.part = if around.is_object {
                of_member(around, is_object, role, is_of_cells)
            } else {
                of_element(around, is_object)
            };
            columns.names.clone_from(&around.columns.names);
        }
        match self.known.get(&number) {
            Some(Fact::Columns(names)) => {
                columns.names = Some(Rc::clone(names));
                columns.is_named_here = true;
            }
            Some(Fact::Pairs) => columns.part = Part::Attributes,
            None => {}
        }
        columns
    }

    /// Whether the list that is about to be opened is the values of one row: `{"rows": [{"f": […]}]}`.
    fn is_of_cells(&self) -> bool {
        match (self.key.pair, self.frames.as_slice()) {
            (PairRole::Cells, _) => true,
            (PairRole::Value, [.., list, _]) => match list.step {
                Some(Place::Name(id)) if !list.is_object => {
                    let name = self.reading.keys.text(id);
                    ROWS.iter().any(|it| it.eq_ignore_ascii_case(name))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// What the column of the value that stands now says of it.
    pub(super) fn said_of_column(&self) -> Option<KeyHint> {
        let frame = self.frames.last()?;
        frame.columns.said(frame.len)
    }

    /// Takes note of a scalar of a table, in which the finds from `first` on stand.
    pub(super) fn note_column(&mut self, leaf: &Leaf, first: usize) {
        let raw = self.raw(leaf);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let is_changed = undo(raw, leaf.escape, &mut text).unwrap_or_default();
        self.note_text_of_column(if is_changed { &text } else { raw }, leaf.kind, first);
        self.text = text;
    }

    /// The same for a scalar whose text was put together elsewhere.
    pub(super) fn note_text_of_column(&mut self, text: &str, kind: ValueKind, first: usize) {
        let (scan, is_text) = (self.reading.scan, kind == ValueKind::String);
        let lookup = || {
            if text.len() <= LABEL_MAX && is_text {
                scan.lookup(text)
            } else {
                KeyHint::default()
            }
        };
        let is_label = self.key.pair == PairRole::Label;
        let has_finds = self.reading.finds.len() > first;
        let [.., list, frame] = self.frames.as_mut_slice() else {
            return;
        };
        let columns = &mut frame.columns;
        let hint = match columns.part {
            Part::Names => lookup(),
            Part::Name if is_label => {
                let hint = lookup();
                if columns.heads.first().is_none_or(|it| it.category.is_none()) {
                    columns.heads = vec![hint];
                }
                return;
            }
            Part::Attribute if frame.len == 1 => lookup(),
            Part::Head => {
                let hint = lookup();
                if !is_text || has_finds && hint.category.is_none() {
                    columns.part = Part::Loose;
                }
                hint
            }
            Part::Loose | Part::Row => {
                columns.has_unnamed |= is_text && columns.part == Part::Loose;
                let may_be_pair = frame.len == 1 && list.columns.pairs != Pairs::No;
                if may_be_pair && lookup().category.is_some() {
                    self.late.insert(list.columns.number, Fact::Pairs);
                }
                return;
            }
            Part::List { .. } => {
                columns.has_unnamed |= is_text && columns.names.is_none();
                return;
            }
            Part::Attribute | Part::Attributes | Part::Cell | Part::Name | Part::None => return,
        };
        columns.heads.push(hint);
        if hint.category.is_some() {
            self.reading.drop_names_from(first);
        }
    }

    /// Tells the container around what was learnt in the one that was left.
    pub(super) fn leave_columns(&mut self, left: Frame) {
        let Columns {
            part, heads, pairs, ..
        } = left.columns;
        if pairs == Pairs::Likely && left.len == 1 {
            self.late.insert(left.columns.number, Fact::Pairs);
        }
        let Some(around) = self.frames.last_mut() else {
            return;
        };
        around.columns.has_unnamed |= left.columns.has_unnamed;
        let is_named = heads.iter().any(|it| it.category.is_some());
        let is_row = matches!(part, Part::Head | Part::Loose) && !heads.is_empty();
        if part == Part::Name {
            let head = heads.first().copied().unwrap_or_default();
            around.columns.heads.push(head);
        } else if part == Part::Names && is_named {
            self.name_columns(heads.into());
        } else if is_row {
            around.columns.pairs = pairs_after(&heads, left.len);
            if part == Part::Head && is_named {
                around.columns.names = Some(heads.into());
            } else {
                around.columns.has_unnamed = true;
            }
        } else if left.is_object && left.columns.is_named_here && around.is_object {
            self.name_columns(left.columns.names.unwrap_or_default());
        }
    }

    /// Names the columns of the innermost container. Rows that were read before are read again.
    fn name_columns(&mut self, names: Rc<[KeyHint]>) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let columns = &mut frame.columns;
        if columns.has_unnamed {
            self.late
                .insert(columns.number, Fact::Columns(Rc::clone(&names)));
        }
        columns.names = Some(names);
        columns.is_named_here = true;
    }
}

/// Whether rows may be pairs, after a first one of `count` values that began with `heads`.
fn pairs_after(heads: &[KeyHint], count: u64) -> Pairs {
    match heads {
        _ if count != 2 => Pairs::No,
        [first, rest @ ..]
            if first.category.is_some() && rest.iter().all(|it| it.category.is_none()) =>
        {
            Pairs::Likely
        }
        _ => Pairs::Maybe,
    }
}

/// What a member of `around` is.
const fn of_member(around: &Frame, is_object: bool, role: PairRole, is_of_cells: bool) -> Part {
    let is_near = around.columns.is_named_here || around.columns.names.is_none();
    match role {
        PairRole::Columns if !is_object => Part::Names,
        PairRole::Cells | PairRole::Value if !is_object && (is_of_cells || is_near) => {
            Part::List { is_of_cells }
        }
        PairRole::Cells
        | PairRole::Columns
        | PairRole::Label
        | PairRole::None
        | PairRole::Value => Part::None,
    }
}

/// What an element of `around` is. A list in which rows stand is no row.
fn of_element(around: &mut Frame, is_object: bool) -> Part {
    let columns = &mut around.columns;
    let has_names = columns.names.is_some();
    if is_object {
        return match columns.part {
            Part::Names => Part::Name,
            Part::Row if has_names => Part::Cell,
            Part::List { is_of_cells: true } if has_names => Part::Cell,
            Part::List { is_of_cells } => {
                columns.has_unnamed |= is_of_cells;
                columns.part = Part::None;
                Part::None
            }
            Part::Head => {
                columns.part = Part::Loose;
                Part::None
            }
            Part::Attribute
            | Part::Attributes
            | Part::Cell
            | Part::Loose
            | Part::Name
            | Part::None
            | Part::Row => Part::None,
        };
    }
    match columns.part {
        Part::Attributes => return Part::Attribute,
        // A value that is a list.
        Part::Attribute | Part::Row => return Part::None,
        Part::Head => columns.part = Part::Loose,
        Part::List { .. } => columns.part = Part::None,
        Part::Cell | Part::Loose | Part::Name | Part::Names | Part::None => {}
    }
    if has_names {
        Part::Row
    } else if around.len == 1 {
        Part::Head
    } else {
        Part::Loose
    }
}
