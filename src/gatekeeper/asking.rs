//! Asking the registers: what they know of the persons of a message, and from when on it counts.

use std::time::Duration;

use tokio::time::timeout;

use super::{Snapshot, keys::IdentifierRefs, ports::Registers};
use crate::model::{
    Timestamp,
    evidence::{Evidence, Known},
    inspection::Inspection,
};

/// Time the registers have to answer.
const REGISTERS_TIME: Duration = Duration::from_secs(2);

/// What the registers know of the persons that are to be judged.
pub(super) async fn ask(
    registers: &dyn Registers,
    inspection: &Inspection,
    snapshot: &Snapshot,
) -> Evidence {
    let persons: Vec<Vec<IdentifierRefs>> = inspection
        .persons
        .iter()
        .filter(|it| !it.categories.is_empty())
        .map(|it| {
            it.identifiers
                .iter()
                .map(|it| snapshot.keys.references(it))
                .collect()
        })
        .collect();
    if persons.is_empty() {
        return Evidence::Known(Known::default());
    }
    match timeout(REGISTERS_TIME, registers.evidence(&persons)).await {
        Ok(Ok(known)) if known.persons.len() == persons.len() => Evidence::Known(known),
        Ok(Ok(_)) => {
            tracing::error!("The registers answered about another number of persons.");
            Evidence::Unavailable
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "The registers did not answer.");
            Evidence::Unavailable
        }
        Err(_) => {
            tracing::error!("The registers did not answer in time.");
            Evidence::Unavailable
        }
    }
}

/// When a transfer is judged: by the clock, but not before the newest change of what it is judged on.
///
/// Records act from the time they were recorded. A clock that was set back since would pass a transfer over a withdrawal that
/// stands in the registers already.
pub(super) fn judged_at(clock: Timestamp, evidence: &Evidence) -> Timestamp {
    match evidence {
        Evidence::Known(known) => known.newest_recorded_at.map_or(clock, |it| it.max(clock)),
        Evidence::Unavailable => clock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_judged_no_earlier_than_what_it_is_judged_on() {
        let clock = Timestamp::from_millis(1_000);
        let known = |newest: Option<i64>| {
            Evidence::Known(Known {
                newest_recorded_at: newest.map(Timestamp::from_millis),
                ..Known::default()
            })
        };
        for (evidence, wanted) in [
            (known(Some(999)), 1_000),
            (known(Some(2_000)), 2_000),
            (known(None), 1_000),
            (Evidence::Unavailable, 1_000),
        ] {
            let at = judged_at(clock, &evidence);
            assert_eq!(at.as_millis(), wanted, "{evidence:?}");
        }
    }
}
