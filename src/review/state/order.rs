//! The order in which people look at the items of a review.

use std::sync::{Arc, OnceLock};

use super::Review;
use crate::{
    access::power::Power,
    review::{item::Item, state::Course},
};

/// The places of the items by risk. It is worked out when it is first asked for, once for all copies of a review.
#[derive(Debug, Clone, Default)]
pub(super) struct Order(Arc<OnceLock<Box<[usize]>>>);

/// It follows from the population.
impl PartialEq for Order {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Order {}

impl Review {
    /// The items with what became of them, those with the greatest risk first: full power, power that may be full, people who
    /// have left and open findings, dangerous permissions, then the others; by name among equals.
    pub fn by_risk(&self) -> impl Iterator<Item = (&Item, &Course)> + Clone {
        let order = self.order.0.get_or_init(|| {
            let mut order: Vec<usize> = (0..self.population.items.len()).collect();
            order.sort_by_cached_key(|at| self.population.items.get(*at).map(risk));
            order.into()
        });
        order.iter().filter_map(|at| self.population.items.get(*at).zip(self.courses.get(*at)))
    }
}

/// The less it is, the greater the risk.
fn risk(item: &Item) -> (u8, bool, bool, String) {
    let is_flagged = item.has_left || !item.findings.is_empty();
    let rank = match item.power {
        Power::Administrator | Power::Equivalent => 0,
        Power::Unknown => 1,
        _ if is_flagged => 2,
        Power::Dangerous => 3,
        Power::Ordinary => 4,
    };
    let name = item.full_name.as_deref().filter(|name| !name.trim().is_empty());
    (rank, !item.has_left, item.findings.is_empty(), name.unwrap_or_else(|| item.label()).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{item::ItemId, testing};

    #[test]
    fn the_items_with_the_greatest_risk_come_first_and_each_comes_once() {
        let mut population = testing::population();
        population.items[1].power = Power::Dangerous;
        population.items[5].has_left = true;
        let review = testing::opened_with(1, population);
        let before = review.clone();
        let shown: Vec<ItemId> = review.by_risk().map(|(item, _)| item.item).collect();
        // Full power, who has left, a finding, a dangerous permission, and the others by name.
        assert_eq!(shown, [4, 6, 5, 2, 3, 1].map(ItemId));
        assert_eq!(review, before);
    }
}
