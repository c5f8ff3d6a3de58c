//! One message under one reading: what several questions need, worked out once.

use std::sync::Arc;

use super::adequacy::Border;
use crate::model::{
    Category, CategorySet, Day, Purpose,
    consent::Facet,
    decision::{Reason, ReasonCode},
    destination::{Destination, Role, Safeguard},
    law::{CategoryRule, Operator, Reading},
    transfer::Transfer,
};

/// The purpose of telling a recipient to stop or delete.
const RECALL: &str = "recall";
/// Classes that behave as marketing unless the profile classes the purpose otherwise.
const LIKE_MARKETING: [&str; 2] = ["info", "mixed"];

/// A message under a reading.
#[derive(Debug)]
pub(super) struct Case<'a> {
    /// Whose gate.
    pub(super) operator: &'a Operator,
    /// Where to.
    pub(super) destination: &'a Destination,
    /// What.
    pub(super) transfer: &'a Transfer,
    /// Under which regime and profile.
    pub(super) reading: &'a Reading,
    /// The operator's civil day of the transfer. A `Day` limit is inclusive, so days compare as days.
    pub(super) today: Day,
    /// The route's channel.
    pub(super) channel: Option<&'a Arc<str>>,
    /// Countries behind the destination.
    pub(super) border: Border,
    /// What carries the border where it is not adequate (GDPR art. 46).
    pub(super) safeguard: Option<&'a Safeguard>,
    /// How the categories of this message are treated.
    pub(super) rules: CategoryRules,
    asks_third_party: bool,
    asks_cross_border: bool,
}

impl<'a> Case<'a> {
    /// The case of `transfer` to `destination` under `reading`.
    pub(super) fn new(
        operator: &'a Operator,
        destination: &'a Destination,
        transfer: &'a Transfer,
        reading: &'a Reading,
    ) -> Self {
        let today = transfer.at.day(operator.utc_offset);
        let border = Border::new(reading, destination, today);
        let is_third = destination.party.role != Role::SelfOperator;
        let asks_third_party = is_third
            && (reading.third_party_needs_consent()
                || purposes(transfer)
                    .flatten()
                    .any(|it| is_opt_in(reading, it)));
        let safeguard = safeguard(reading, destination, today);
        let is_protected = border.is_adequate() || safeguard.is_some();
        let asks_cross_border =
            !border.is_home() && (reading.adequate_state_requires_consent() || !is_protected);
        let route = transfer.route.as_ref();
        let route = route.and_then(|id| destination.routes.iter().find(|it| it.id == *id));
        Self {
            operator,
            destination,
            transfer,
            reading,
            today,
            channel: route.and_then(|it| it.channel.as_ref()),
            border,
            safeguard,
            rules: CategoryRules::new(reading, destination, transfer),
            asks_third_party,
            asks_cross_border,
        }
    }

    /// Whether a consent or basis must carry `facet`.
    pub(super) const fn asks(&self, facet: Facet) -> bool {
        match facet {
            Facet::ThirdParty => self.asks_third_party,
            Facet::CrossBorder => self.asks_cross_border,
        }
    }

    /// Whether `facet` is there at all: somebody else receives, or a border is crossed.
    pub(super) fn has(&self, facet: Facet) -> bool {
        match facet {
            Facet::ThirdParty => self.destination.party.role != Role::SelfOperator,
            Facet::CrossBorder => !self.border.is_home(),
        }
    }

    /// Purposes present: the route's, then those of matched sections. `None` stands for a purpose that was not given.
    pub(super) fn purposes(&self) -> impl Iterator<Item = Option<&'a Purpose>> + use<'a> {
        purposes(self.transfer)
    }

    /// Whether only a consent that names `purpose` opens it.
    pub(super) fn is_opt_in(&self, purpose: &Purpose) -> bool {
        is_opt_in(self.reading, purpose)
    }

    /// The class of `purpose`: the profile's for the longest name that covers it, else its first word.
    pub(super) fn class<'p>(&'p self, purpose: &'p Purpose) -> &'p str {
        class(self.reading, purpose)
    }

    /// A reason of this reading.
    pub(super) fn reason(&self, code: ReasonCode) -> Reason {
        Reason {
            regime: Some(Arc::clone(&self.reading.regime.code)),
            ..Reason::of(code)
        }
    }
}

/// The first safeguard in force of a kind that the regime accepts. It binds the recipient for whatever stands behind it.
fn safeguard<'a>(
    reading: &Reading,
    destination: &'a Destination,
    today: Day,
) -> Option<&'a Safeguard> {
    destination.safeguards.iter().find(|it| {
        reading.regime.accepts_safeguard(&it.kind)
            && it.signed <= today
            && it.until.is_none_or(|until| today <= until)
    })
}

/// Whether `purpose` is the recall of data that a recipient already holds.
pub(super) fn is_recall(purpose: &Purpose) -> bool {
    purpose.as_str() == RECALL
}

fn purposes(transfer: &Transfer) -> impl Iterator<Item = Option<&Purpose>> {
    std::iter::once(transfer.purpose.as_ref()).chain(transfer.section_purposes.iter().map(Some))
}

fn class<'p>(reading: &'p Reading, purpose: &'p Purpose) -> &'p str {
    let classes = &reading.profile.purpose_classes;
    let named = classes.iter().filter(|(it, _)| it.covers(purpose));
    let longest = named.max_by_key(|(it, _)| it.as_str().len());
    longest.map_or_else(
        || purpose.as_str().split('.').next().unwrap_or_default(),
        |(_, class)| class,
    )
}

fn is_opt_in(reading: &Reading, purpose: &Purpose) -> bool {
    let opt_in = &reading.profile.opt_in_classes;
    if opt_in.is_empty() {
        return false;
    }
    let class = class(reading, purpose);
    opt_in.contains(class) || (LIKE_MARKETING.contains(&class) && opt_in.contains("marketing"))
}

/// The three-valued treatment of the categories of a message (`decision.md` §3 Q4).
#[derive(Clone, Copy, Debug)]
pub(super) struct CategoryRules {
    /// Never leave.
    pub(super) never: CategorySet,
    /// Leave only with a consent or basis that names them.
    pub(super) only_if_named: CategorySet,
}

impl CategoryRules {
    fn new(reading: &Reading, destination: &Destination, transfer: &Transfer) -> Self {
        let persons = transfer.persons.iter();
        let present = persons.fold(CategorySet::EMPTY, |all, it| all.union(it.categories));
        let mut rules = Self {
            never: CategorySet::EMPTY,
            only_if_named: present.iter().filter(|it| it.is_special()).collect(),
        };
        // A parent sorts before its children, so the longest code is applied last and wins.
        for (code, rule) in &reading.profile.categories {
            let named: CategorySet = present.iter().filter(|it| is_under(*it, code)).collect();
            rules.never = rules.never.minus(named);
            rules.only_if_named = rules.only_if_named.minus(named);
            match rule {
                CategoryRule::Never => rules.never = rules.never.union(named),
                CategoryRule::OnlyIfNamed => {
                    rules.only_if_named = rules.only_if_named.union(named);
                }
                CategoryRule::Ordinary => {}
            }
        }
        for card in present.iter().filter(|it| it.is_card_data()) {
            if !may_carry_card(reading, destination, card) {
                rules.never.insert(card);
            }
        }
        rules
    }
}

fn is_under(category: Category, code: &str) -> bool {
    let rest = category.code().strip_prefix(code);
    rest.is_some_and(|it| it.is_empty() || it.starts_with('.'))
}

/// only a role that the profile names, and only under an agreement that lists the category.
fn may_carry_card(reading: &Reading, destination: &Destination, card: Category) -> bool {
    let listed = destination
        .agreement
        .as_ref()
        .is_some_and(|it| it.categories.contains(card));
    listed && reading.profile.card_roles.contains(&destination.party.role)
}
